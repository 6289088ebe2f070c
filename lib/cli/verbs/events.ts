/** The history; always a stream. */
import { AgentopsdError } from '../../base/errors.js';
import type { Event } from '../../client/client.js';
import type { Invocation } from '../invocation.js';
import { findJob } from '../job-ids.js';
import { eventLine } from '../job-words.js';
import { openReading, type Reading } from '../reading.js';

export async function perform(invocation: Invocation): Promise<number> {
  const { flags, printer } = invocation;
  const types = flags.list('type');
  const limit = flags.wholeNumber('limit', 0) ?? Number.POSITIVE_INFINITY;
  const reading = await openReading(invocation);
  const given = flags.text('job');
  const jobId = given === undefined ? undefined : (await findJob(reading, given)).job_id;
  let shown = 0;
  if (limit === 0) return 0;
  for await (const event of source(reading, invocation)) {
    if (jobId !== undefined && event.job_id !== jobId) continue;
    if (types !== undefined && !types.includes(event.event_type)) continue;
    printer.item(event, () => eventLine(event, printer));
    await printer.drained();
    shown += 1;
    if (shown >= limit) return 0;
  }
  return 0;
}

function source(reading: Reading, { flags }: Invocation): AsyncIterable<Event> {
  const since = flags.text('since');
  if (!flags.on('follow')) return reading.events({ since });
  if (reading.client !== undefined) return reading.client.events({ since, follow: true });
  throw new AgentopsdError('daemon_unreachable', 'no daemon runs here, so nothing new will come', {
    hint: 'start one with: agentopsd run, or leave out --follow',
  });
}

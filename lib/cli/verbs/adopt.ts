/** Takes over jobs that were accepted elsewhere, or accepts known damage; the running daemon does it. */
import { AgentopsdError } from '../../base/errors.js';
import { safeLine } from '../../base/text.js';
import type { AdoptAnswer } from '../../client/client.js';
import { requireClient } from '../daemon-address.js';
import type { Invocation } from '../invocation.js';
import { jobOfPrefix } from '../job-ids.js';
import { stateWord } from '../job-words.js';
import type { Printer } from '../printer.js';

export async function perform(invocation: Invocation): Promise<number> {
  const { operands, flags, printer } = invocation;
  const [all, damage] = [flags.on('all'), flags.on('damage')];
  if (all && operands.length > 0) throw new AgentopsdError('usage', '--all takes every job: name none beside it');
  if (!all && !damage && operands.length === 0) {
    throw new AgentopsdError('usage', 'nothing to adopt is named', { hint: 'name jobs, or give --all or --damage' });
  }
  const client = await requireClient(invocation);
  const jobs = operands.length === 0 ? [] : (await client.status()).queue.jobs;
  const jobIds = operands.map((given) => jobOfPrefix(jobs, given).job_id);
  const answer = await client.adopt({
    ...(jobIds.length === 0 ? {} : { job_ids: jobIds }),
    ...(all ? { all } : {}),
    ...(damage ? { damage } : {}),
  });
  printer.answer('adopted', answer, () => tell(answer, damage, printer));
  return 0;
}

function tell({ adopted, damage_adopted: damageAdopted }: AdoptAnswer, damage: boolean, printer: Printer): void {
  for (const job of adopted)
    printer.line(`${stateWord(job.status, printer.colours)}  ${safeLine(job.job_id)}  adopted`);
  if (damage)
    printer.line(damageAdopted === 0 ? 'no damage is known' : `${damageAdopted} damaged lines accepted as lost`);
  if (adopted.length === 0 && !damage) printer.line('nothing to adopt: these jobs are ours already, or have ended');
}

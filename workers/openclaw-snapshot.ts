/**
 * `openclaw.snapshot`: writes down the consumer snapshot as it stands at one event, so that it can be kept and compared
 * after the ledger has gone on. The job itself stands in it as running.
 *
 * Payload: `reason`, recorded as it is. Artifacts: `snapshot.json` in canonical form, and `summary.json` with its hash,
 * its size and the counts of its resources.
 */
import { createHash } from 'node:crypto';
import { canonicalJson } from '../lib/base/canonical.js';
import type { BuiltinHandler } from './builtin-context.js';
import { textMember } from './kit/payload.js';

export const openclawSnapshot: BuiltinHandler = async (job, context) => {
  const reason = textMember(job.payload, 'reason');
  const snapshot = await context.consumerSnapshot();
  context.signal.throwIfAborted();
  const text = `${canonicalJson(snapshot)}\n`;
  const { runs, jobs, wiki } = snapshot.resources;
  const path = await context.artifact('snapshot.json', text);
  const summary = {
    schema_version: 1,
    snapshot_id: snapshot.snapshot_id,
    ...(snapshot.source.last_event_id === undefined ? {} : { last_event_id: snapshot.source.last_event_id }),
    status: snapshot.status,
    path,
    sha256: createHash('sha256').update(text, 'utf8').digest('hex'),
    bytes: Buffer.byteLength(text, 'utf8'),
    resource_counts: { runs: runs.length, jobs: jobs.length, wiki: wiki.length },
    ...(reason === undefined ? {} : { reason }),
  };
  await context.artifact('summary.json', `${JSON.stringify(summary, null, 2)}\n`);
  context.log(`snapshot ${snapshot.snapshot_id}: ${runs.length} runs, ${jobs.length} jobs, ${wiki.length} wiki`);
};

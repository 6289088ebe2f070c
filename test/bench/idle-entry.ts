/**
 * The worker threads' entry as it is, but for the handlers: none of them does anything. One whose payload names a file
 * (`note`) writes there, behind its job id, when it began: milliseconds on the clock that `process.hrtime` shows.
 */
import { appendFileSync } from 'node:fs';
import type { BuiltinHandler } from '../../workers/builtin-context.js';
import answer from '../../workers/entry.js';
import { handlers } from '../../workers/handlers.js';

const idle: BuiltinHandler = async (job) => {
  const note = job.payload['note'];
  if (typeof note !== 'string') return;
  const begunAtMs = Number(process.hrtime.bigint()) / 1e6;
  appendFileSync(note, `${job.job_id} ${begunAtMs}\n`);
};

for (const jobType of Object.keys(handlers)) Object.assign(handlers, { [jobType]: async () => idle });

export default answer;

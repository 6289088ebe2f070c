/** The worker threads' entry as it is, but for the handlers: each does what the payload's `act` says. */
import type { BuiltinHandler } from '../../workers/builtin-context.js';
import answer from '../../workers/entry.js';
import { handlers } from '../../workers/handlers.js';

const acts: Readonly<Record<string, BuiltinHandler>> = {
  nothing: () => undefined,
  log: (_job, context) => context.log('hello'),
  artifact: (_job, context) => context.artifact('a/b.txt', 'text'),
  wait: (_job, { signal }) =>
    new Promise((_, reject) => {
      const stop = () => reject(signal.reason as Error);
      if (signal.aborted) stop();
      else signal.addEventListener('abort', stop);
    }),
  process: (_job, context) =>
    context.spawn('/bin/sh', ['-c', 'printf %s "$AGENTOPS_LEASE_MARKER"; ls -d "$AGENTOPS_RUN_DIR"']),
};

const puppet: BuiltinHandler = (job, context) => acts[String(job.payload['act'])]?.(job, context);
for (const jobType of Object.keys(handlers)) Object.assign(handlers, { [jobType]: async () => puppet });

export default answer;

/**
 * The thread's entry: runs one attempt after the other and answers how each ended, as data. It never rejects.
 *
 * While the attempt lasts the thread counts up its signs of life: a handler that blocks its event loop stops them, and
 * that is the point.
 */

import { type BuiltinType, isBuiltinType } from '../lib/model/builtin-types.js';
import {
  MARKER_VARIABLE,
  type ThreadAnswer,
  type ThreadMessage,
  type WorkerLost,
  type WorkerResult,
  type WorkerTask,
} from '../lib/model/worker-protocol.js';
import type { BuiltinHandler } from './builtin-context.js';
import { failure, failureOf } from './failure.js';
import { handlers } from './handlers.js';
import { runCommand } from './thread/command.js';
import { type AttemptInThread, openAttempt } from './thread/job-context.js';
import { type Attend, serve, type TaskLine } from './thread/main-line.js';
import { runModule } from './thread/module-process.js';
import { redirectPrinting } from './thread/printing.js';
import { type Pulse, startPulse } from './thread/pulse.js';
import { activeResources, comesToRest } from './thread/rest.js';
import { FolderDenied } from './thread/run-folder.js';

export default async function answer(message: ThreadMessage): Promise<void> {
  if (message.kind === 'serve') await serve(message, attend);
}

const attend: Attend = async (task, line) => {
  const before = activeResources();
  const pulse = startPulse(task);
  // A process that a handler starts past its context has the marker too, and ends with the attempt.
  process.env[MARKER_VARIABLE] = task.claim.marker;
  const result = await run(task, line, pulse);
  delete process.env[MARKER_VARIABLE];
  pulse.stop();
  return { result, reusable: await comesToRest(before) };
};

async function run(task: WorkerTask, line: TaskLine, pulse: Pulse): Promise<ThreadAnswer['result']> {
  let attempt: AttemptInThread;
  try {
    attempt = openAttempt(task, line);
  } catch (error) {
    return lostTo(error);
  }
  try {
    const restorePrinting = redirectPrinting(attempt.output);
    try {
      const told = await work(task, attempt, pulse);
      if (told !== undefined) return told;
    } finally {
      restorePrinting();
    }
    return { kind: 'completed', artifacts: attempt.artifacts.artifacts, artifact_refs: attempt.artifacts.artifactRefs };
  } catch (error) {
    if (error instanceof FolderDenied) return lostTo(error);
    return { kind: 'failed', failure: failureOf(error), artifacts: attempt.artifacts.artifacts };
  } finally {
    attempt.end();
  }
}

/** What is in the way of the folder or the log, such as a full disk, is not the work's doing. */
function lostTo(error: unknown): WorkerLost {
  return { kind: 'lost', why: `the attempt can't be opened: ${failureOf(error).message}` };
}

/** @returns what the process of a module told; undefined when the work is done */
async function work(
  task: WorkerTask,
  attempt: AttemptInThread,
  pulse: Pulse,
): Promise<WorkerResult | WorkerLost | undefined> {
  const { job, executor } = task;
  switch (executor.kind) {
    case 'command':
      await runCommand(job, attempt.context, executor);
      return undefined;
    case 'module':
      return runModule(task, attempt, executor, pulse);
    case 'builtin': {
      if (!isBuiltinType(job.job_type)) throw failure('provider_unreachable', `no built-in worker for ${job.job_type}`);
      const handler = loaded.get(job.job_type) ?? (await load(job.job_type));
      await handler(job, attempt.context);
      return undefined;
    }
  }
}

/** Those that this thread has run: to look for a module that is there already takes longer than many a job. */
const loaded = new Map<BuiltinType, BuiltinHandler>();

async function load(jobType: BuiltinType): Promise<BuiltinHandler> {
  const handler = await handlers[jobType]();
  loaded.set(jobType, handler);
  return handler;
}

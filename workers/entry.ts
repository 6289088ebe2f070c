/**
 * The thread's entry: runs one attempt and answers how it ended, as data. It never rejects.
 *
 * While the attempt lasts the thread counts up its sign of life from a timer of its own event loop: a handler that
 * blocks the loop stops the beat, and that is the point.
 */

import { whyNotCanonical } from '../lib/base/canonical.js';
import { isBuiltinType } from '../lib/model/builtin-types.js';
import {
  BEAT_INDEX,
  BEAT_INTERVAL_MS,
  MARKER_VARIABLE,
  type ThreadAnswer,
  type ThreadMessage,
  type WorkerResult,
  type WorkerTask,
} from '../lib/model/worker-protocol.js';
import { runCommand } from './command.js';
import { failure, failureOf } from './failure.js';
import { handlers } from './handlers.js';
import { type AttemptInThread, openAttempt } from './job-context.js';
import { loadModule } from './module-loader.js';
import { redirectPrinting } from './printing.js';

const RESULT_ARTIFACT = 'result.json';
const probed: ThreadAnswer = { result: { kind: 'completed', artifacts: {}, artifact_refs: {} }, reusable: true };

export default async function answer(message: ThreadMessage): Promise<ThreadAnswer> {
  if (message.kind === 'probe') return probed;
  const before = activeResources();
  const stopBeating = beat(message.task);
  // A process that a handler starts past its context has the marker too, and ends with the attempt.
  process.env[MARKER_VARIABLE] = message.task.claim.marker;
  const result = await run(message.task);
  delete process.env[MARKER_VARIABLE];
  stopBeating();
  return { result, reusable: isSameThread(before, activeResources()) };
}

async function run(task: WorkerTask): Promise<WorkerResult> {
  let attempt: AttemptInThread | undefined;
  try {
    attempt = openAttempt(task);
    const restorePrinting = redirectPrinting(attempt.output);
    try {
      await work(task, attempt);
    } finally {
      restorePrinting();
    }
    return { kind: 'completed', artifacts: attempt.artifacts.artifacts, artifact_refs: attempt.artifacts.artifactRefs };
  } catch (error) {
    return { kind: 'failed', failure: failureOf(error), artifacts: attempt?.artifacts.artifacts ?? {} };
  } finally {
    attempt?.end();
  }
}

async function work(task: WorkerTask, attempt: AttemptInThread): Promise<void> {
  const { job, executor } = task;
  switch (executor.kind) {
    case 'command':
      await runCommand(job, attempt.context, executor);
      return;
    case 'module': {
      const handler = await loadModule(executor.path);
      await keepResult(await handler(job, attempt.context), attempt);
      return;
    }
    case 'builtin': {
      if (!isBuiltinType(job.job_type)) throw failure('provider_unreachable', `no built-in worker for ${job.job_type}`);
      const handler = await handlers[job.job_type]();
      await handler(job, attempt.context);
    }
  }
}

/** What a module answers is kept as an artifact; what is no plain JSON data fails the job. */
async function keepResult(value: unknown, attempt: AttemptInThread): Promise<void> {
  if (value === undefined) return;
  const why = whyNotPlain(value) ?? whyNotCanonical(value, 'result');
  if (why !== undefined) {
    throw failure('request_rejected', `${why}; a handler answers plain JSON data or undefined`);
  }
  await attempt.artifacts.write(RESULT_ARTIFACT, `${JSON.stringify(value, null, 2)}\n`);
}

/** Objects of a class (Map, Date, Buffer) would lose what they are on their way through JSON. */
function whyNotPlain(value: unknown, path = 'result', depth = 0): string | undefined {
  if (typeof value !== 'object' || value === null || depth > 64) return undefined;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (!Array.isArray(value) && prototype !== Object.prototype && prototype !== null)
    return `${path} is no plain object`;
  for (const [name, member] of Object.entries(value)) {
    const why = whyNotPlain(member, `${path}.${name}`, depth + 1);
    if (why !== undefined) return why;
  }
  return undefined;
}

function beat({ shared }: WorkerTask): () => void {
  const counters = new Int32Array(shared);
  Atomics.add(counters, BEAT_INDEX, 1);
  const timer = setInterval(() => Atomics.add(counters, BEAT_INDEX, 1), BEAT_INTERVAL_MS);
  return () => clearInterval(timer);
}

/** What ends by itself in a moment, and the ports of the pool and of the attempt. */
const PASSING = /Req|MessagePort|Immediate/u;

/** Kinds of handles that keep an event loop busy, counted. */
function activeResources(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) {
    if (!PASSING.test(kind)) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return counts;
}

/** Whether nothing but what was there before is still active: only then the thread may take another job. */
function isSameThread(before: Map<string, number>, after: Map<string, number>): boolean {
  for (const [kind, count] of after) if (count > (before.get(kind) ?? 0)) return false;
  return true;
}

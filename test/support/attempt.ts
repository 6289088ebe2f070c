/** An attempt as a worker thread opens it, in the test's own thread: what it posts is kept. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { JobType } from '../../lib/model/event.js';
import { SHARED_BYTES, type ToMain, type ToWorker, type WorkerTask } from '../../lib/model/worker-protocol.js';
import { type AttemptInThread, openAttempt } from '../../workers/thread/job-context.js';

export interface OpenedAttempt extends AttemptInThread {
  readonly task: WorkerTask;
  readonly posted: readonly ToMain[];
  /** As the main thread does it when the job is cancelled. */
  stop(): void;
  close(): void;
}

export function openTestAttempt(
  root: string,
  more: { payload?: WorkerTask['job']['payload']; limits?: Partial<WorkerTask['limits']> } = {},
): OpenedAttempt {
  const runDir = join(root, '.agents', 'runs', 'job_1', 'attempt-1');
  mkdirSync(runDir, { recursive: true });
  const posted: ToMain[] = [];
  let tell: (message: ToWorker) => void = () => {};
  const task: WorkerTask = {
    job: {
      job_id: 'job_1',
      job_type: 'rpi.run' as JobType,
      request_id: 'req_1',
      attempt: 1,
      max_attempts: 3,
      payload: more.payload ?? {},
    },
    claim: { claim_token: 'claim_1', lease_epoch: 7, marker: `test-${process.pid}-${performance.now()}` },
    executor: { kind: 'builtin', allowPayloadCommands: false },
    root,
    runDir,
    prepared: true,
    limits: { outputBytes: 1_048_576, artifactBytes: 1_048_576, cancelGraceMs: 200, memoryMb: 128, ...more.limits },
    shared: new SharedArrayBuffer(SHARED_BYTES),
  };
  const attempt = openAttempt(task, {
    post: (message) => posted.push(message),
    hear: (onMessage) => {
      tell = onMessage;
    },
    end: () => {},
  });
  return {
    ...attempt,
    task,
    posted,
    stop: () => tell({ kind: 'stop', reason: 'cancelled' }),
    close: () => attempt.end(),
  };
}

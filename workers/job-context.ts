/**
 * The context of one attempt inside its thread: signal, log, progress, artifacts, processes. It ends with the attempt:
 * what a handler left running asks of it afterwards is refused.
 */

import { join } from 'node:path';
import type { MessagePort } from 'node:worker_threads';
import {
  type Progress,
  STOP_INDEX,
  type ToMain,
  type ToWorker,
  type WorkerTask,
} from '../lib/model/worker-protocol.js';
import { type ArtifactStore, createArtifactStore } from './artifacts.js';
import type { BuiltinContext, ConsumerSnapshot } from './builtin-context.js';
import { createOutputLog, type OutputLog } from './output-log.js';
import { createSpawn } from './spawn.js';

export interface AttemptInThread {
  readonly context: BuiltinContext;
  readonly artifacts: ArtifactStore;
  readonly output: OutputLog;
  /** Idempotent. */
  end(): void;
}

const OUTPUT_LOG = 'output.log';

export function openAttempt(task: WorkerTask): AttemptInThread {
  const { job, claim, root, runDir, limits, port } = task;
  const stopping = new AbortController();
  const answers = new Map<number, (snapshot: ConsumerSnapshot) => void>();
  const post = (message: ToMain) => port.postMessage(message);
  listen(port, stopping, answers);
  if (Atomics.load(new Int32Array(task.shared), STOP_INDEX) !== 0)
    stopping.abort(stopReason('stopped before it began'));

  const output = createOutputLog(join(runDir, OUTPUT_LOG), limits.outputBytes);
  const artifacts = createArtifactStore({
    root,
    runDir,
    maxBytes: limits.artifactBytes,
    onChange: (paths) => post({ kind: 'artifacts', artifacts: paths }),
  });
  artifacts.name('output', join(runDir, OUTPUT_LOG));

  const spawn = createSpawn({ task, output, signal: stopping.signal, post });
  let ended = false;
  const alive = () => {
    if (ended) throw new Error('the attempt is over: its context can no longer be used');
  };
  let asked = 0;
  const context: BuiltinContext = {
    signal: stopping.signal,
    attempt: job.attempt,
    claim,
    root,
    runDir,
    log(text) {
      alive();
      output.write(text.endsWith('\n') ? text : `${text}\n`);
    },
    progress(progress) {
      alive();
      post({ kind: 'progress', progress: plainProgress(progress) });
    },
    async artifact(name, data) {
      alive();
      return artifacts.write(name, data);
    },
    async recordArtifact(name, path) {
      alive();
      return artifacts.record(name, path);
    },
    consumerSnapshot() {
      alive();
      const ask = ++asked;
      return new Promise((resolve) => {
        answers.set(ask, resolve);
        post({ kind: 'ask_consumer_snapshot', ask });
      });
    },
    async spawn(command, args, options) {
      alive();
      return spawn(command, args, options);
    },
  };
  const end = () => {
    ended = true;
    port.close();
    output.close();
  };
  return { context, artifacts, output, end };
}

function listen(
  port: MessagePort,
  stopping: AbortController,
  answers: Map<number, (snapshot: ConsumerSnapshot) => void>,
): void {
  port.on('message', (message: ToWorker) => {
    if (message.kind === 'stop') stopping.abort(stopReason(message.reason));
    else {
      answers.get(message.ask)?.(message.snapshot);
      answers.delete(message.ask);
    }
  });
}

/** What handlers see as `signal.reason`, and what `signal.throwIfAborted()` throws. */
function stopReason(reason: string): Error {
  return Object.assign(new Error(`the attempt is to stop: ${reason}`), { name: 'AbortError' });
}

function plainProgress({ done, total, text }: Progress): Progress {
  return {
    done: Number(done),
    ...(total === undefined ? {} : { total: Number(total) }),
    ...(text === undefined ? {} : { text: String(text).slice(0, 1000) }),
  };
}

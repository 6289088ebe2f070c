/**
 * The thread's side of its line to the main thread: one channel for all tasks of the thread. Every message names its
 * task: what comes for one that is over is not heard, and what it still says is not either.
 */
import type { MessagePort } from 'node:worker_threads';
import type { Said, ToMain, ToWorker, WorkerTask } from '../../lib/model/worker-protocol.js';

export interface TaskLine {
  readonly post: (message: ToMain) => void;
  /** Nothing is heard or said any more. Idempotent. */
  end(): void;
}

interface Line {
  readonly port: MessagePort;
  listener: { readonly serial: number; readonly onMessage: (message: ToWorker) => void } | undefined;
}

let latest: Line | undefined;

/** @param onMessage told what the main thread says about this task */
export function openTaskLine({ serial, port }: WorkerTask, onMessage: (message: ToWorker) => void): TaskLine {
  if (port !== undefined) latest = lineOver(port);
  const line = latest;
  if (line === undefined) throw new Error('invariant broken: the first task of a thread brings its port');
  const listener = { serial, onMessage };
  line.listener = listener;
  return {
    post: (message) => {
      if (line.listener === listener) line.port.postMessage({ serial, message } satisfies Said<ToMain>);
    },
    end: () => {
      if (line.listener === listener) line.listener = undefined;
    },
  };
}

function lineOver(port: MessagePort): Line {
  const line: Line = { port, listener: undefined };
  port.on('message', ({ serial, message }: Said<ToWorker>) => {
    if (line.listener?.serial === serial) line.listener.onMessage(message);
  });
  return line;
}

/** How far a job is, told often and sent seldom. */
import type { Progress, ToMain } from '../../lib/model/worker-protocol.js';

/** However often a handler tells its progress, it goes on its way at most this often. */
const PROGRESS_INTERVAL_MS = 100;

/** The first is told at once, of those that follow too soon the last. */
export function pacedProgress(post: (message: ToMain) => void): { tell(progress: Progress): void; end(): void } {
  let waiting: Progress | undefined;
  let timer: NodeJS.Timeout | undefined;
  const send = () => {
    timer = undefined;
    if (waiting === undefined) return;
    post({ kind: 'progress', progress: waiting });
    waiting = undefined;
    timer = setTimeout(send, PROGRESS_INTERVAL_MS);
  };
  return {
    tell(progress) {
      waiting = progress;
      if (timer === undefined) send();
    },
    end() {
      clearTimeout(timer);
      if (waiting !== undefined) post({ kind: 'progress', progress: waiting });
      waiting = undefined;
    },
  };
}

/** What a handler told, as data that can be sent. */
export function plainProgress({ done, total, text }: Progress): Progress {
  return {
    done: Number(done),
    ...(total === undefined ? {} : { total: Number(total) }),
    ...(text === undefined ? {} : { text: String(text).slice(0, 1000) }),
  };
}

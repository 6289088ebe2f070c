/** The stop of the daemon: first no new work, then the running jobs' time, then everything is let go of. */
import type { Daemon, DaemonEnd } from './daemon-options.js';
import type { Execution } from './execution.js';
import type { Inbox } from './inbox.js';
import type { Kernel } from './kernel.js';
import type { Releasers } from './releasers.js';

export interface Working {
  readonly kernel: Kernel;
  readonly execution: Execution;
  readonly inbox: Inbox;
  readonly releasers: Releasers;
}

export function endingOf({ kernel, execution, inbox, releasers }: Working): Pick<Daemon, 'stop' | 'ended'> {
  const hurry = new AbortController();
  let writerStopped: string | undefined;
  let stopping: Promise<void> | undefined;
  let tellEnd: (end: DaemonEnd) => void = () => {};
  const ended = new Promise<DaemonEnd>((resolve) => {
    tellEnd = resolve;
  });
  kernel.onStopped((reason) => {
    writerStopped = reason;
  });
  const stopOnce = async (): Promise<void> => {
    await inbox.stop();
    await execution.drain(hurry.signal);
    await releasers.releaseAll();
    tellEnd(writerStopped === undefined ? { kind: 'asked' } : { kind: 'writer_stopped', reason: writerStopped });
  };
  return {
    ended,
    stop: ({ quick = false } = {}) => {
      if (quick || stopping !== undefined) hurry.abort();
      stopping ??= stopOnce();
      return stopping;
    },
  };
}

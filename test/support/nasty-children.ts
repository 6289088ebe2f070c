/** Real processes that resist, and what a test asks about them. Everything is ended by pid when the test is over. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseProcessStat } from '../../lib/base/process-stat.js';
import { MARKER_VARIABLE } from '../../lib/model/worker-protocol.js';

const DEADLINE_MS = 10_000;

/** Resolves as soon as `condition` holds, looking often; rejects at the deadline with `what`. */
export async function until(condition: () => boolean, what: string, deadlineMs = DEADLINE_MS): Promise<void> {
  const end = performance.now() + deadlineMs;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    await sleep(10);
  }
}

/** Start time of a living process; undefined for one that is gone or dead. */
export function startOf(pid: number): string | undefined {
  try {
    const stat = parseProcessStat(readFileSync(`/proc/${pid}/stat`, 'latin1'));
    return stat === undefined || stat.state === 'Z' || stat.state === 'X' ? undefined : stat.started;
  } catch {
    return undefined;
  }
}

export const isAlive = (pid: number): boolean => startOf(pid) !== undefined;

export interface NastyChild {
  readonly process: ChildProcess;
  readonly pid: number;
  readonly started: string;
  /** The pids that it printed, one a line, itself included. */
  readonly pids: readonly number[];
}

export class Nursery {
  readonly #born: { pid: number; started: string }[] = [];

  /** Starts `sh -c script` in a group of its own, marked, and waits until it has printed `count` pids. */
  async start(script: string, marker: string, count: number): Promise<NastyChild> {
    const env = { PATH: process.env['PATH'] ?? '', [MARKER_VARIABLE]: marker };
    const child = spawn('sh', ['-c', script], { detached: true, env, stdio: ['ignore', 'pipe', 'ignore'] });
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    const pids = (): number[] => (text.match(/^\d+$/gm) ?? []).map(Number);
    await until(() => pids().length >= count, `${count} pids of ${script}`);
    for (const pid of pids()) this.#born.push({ pid, started: startOf(pid) ?? '' });
    const pid = child.pid as number;
    return { process: child, pid, started: startOf(pid) ?? '', pids: pids() };
  }

  /** Ends what a failed test left. */
  end(): void {
    for (const { pid, started } of this.#born) {
      if (started !== '' && startOf(pid) === started) process.kill(pid, 'SIGKILL');
    }
  }
}

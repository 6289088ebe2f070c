/**
 * Counts the processes of a case without asking the daemon: everything in this network namespace, and everything that
 * works below the case's folder or has it in its environment, in whatever session or namespace it is.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseProcessStat } from '../../lib/base/process-stat.js';

export interface Counted {
  readonly pid: number;
  readonly command: string;
}

/** @param spared pids that belong there, such as the daemon's */
export function processesOf(folder: string, spared: readonly number[]): Counted[] {
  const namespace = linkOf('/proc/self/ns/net');
  const out: Counted[] = [];
  for (const pid of readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)) {
    if (pid === process.pid || pid === process.ppid || spared.includes(pid) || isDead(pid)) continue;
    const isHere = linkOf(`/proc/${pid}/ns/net`) === namespace;
    const worksHere = linkOf(`/proc/${pid}/cwd`).startsWith(folder) || textOf(`/proc/${pid}/environ`).includes(folder);
    if (isHere || worksHere)
      out.push({ pid, command: textOf(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').slice(0, 80) });
  }
  return out;
}

/** Waits until nobody is left. @returns who is, at the deadline */
export async function untilNobody(folder: string, spared: readonly number[], deadlineMs: number): Promise<Counted[]> {
  const until = performance.now() + deadlineMs;
  for (;;) {
    const left = processesOf(folder, spared);
    if (left.length === 0 || performance.now() > until) return left;
    await sleep(50);
  }
}

function isDead(pid: number): boolean {
  const stat = parseProcessStat(textOf(`/proc/${pid}/stat`));
  return stat === undefined || stat.state === 'Z' || stat.state === 'X';
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

/** The processes of an attempt on the real machine: when it began, and how all of them are ended. */
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { climb, type EndedProcesses, type EndProcesses, type LadderSeams, type LadderSignal } from './ladder.js';
import { type ProcessTable, ProcTable } from './process-table.js';
import { PsTable } from './process-table-ps.js';

export type { EndedProcesses, EndProcesses, RecordedChild } from './ladder.js';

let table: ProcessTable | undefined;

function machineTable(): ProcessTable {
  table ??= existsSync('/proc/self/stat') ? new ProcTable() : new PsTable();
  return table;
}

/**
 * This moment as `startedAfter` takes it: to be kept with the lease when a job is claimed, before its first process.
 * It holds across a restart of the daemon; after one of the machine it says that nothing is left.
 * @returns undefined where the machine can't tell
 */
export function processMoment(): string | undefined {
  return machineTable().moment();
}

/**
 * Ends every process of an attempt: takes at most `graceMs`, and 4 seconds more for those that resist. Never rejects
 * because of a process; what can't be ended is told as `remaining`.
 */
export function endProcesses(order: EndProcesses): Promise<EndedProcesses> {
  return climb(machineSeams(), order);
}

/** Ends at once whatever an attempt that is over has left behind. */
export function sweep(order: Pick<EndProcesses, 'marker' | 'recorded' | 'startedAfter'>): Promise<EndedProcesses> {
  return endProcesses({ ...order, graceMs: 0, first: 'SIGKILL' });
}

function machineSeams(): LadderSeams {
  return { table: machineTable(), ownPid: process.pid, send, wait, monotonicMs: () => performance.now() };
}

function send(pid: number, signal: LadderSignal | 'SIGCONT'): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

async function wait(delayMs: number, hurry?: AbortSignal): Promise<void> {
  await sleep(delayMs, undefined, hurry === undefined ? {} : { signal: hurry }).catch(() => {});
}

/**
 * Ends what a part of an attempt left running, before the next part begins: processes of this attempt that work in one
 * folder, or that were started for it. What gets away (by leaving the folder and clearing its environment) is ended with
 * the attempt, as everything else; and so is all of it where there is no `/proc`. Its files are in memory: reading them
 * at once is far quicker than handing each to another thread.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { parseProcessStat } from '../../lib/base/process-stat.js';
import { MARKER_VARIABLE } from '../../lib/model/worker-protocol.js';

const ROUNDS = 20;
const PAUSE_MS = 10;

/** Names the folder in the environment of what is started for it. */
export const FOLDER_VARIABLE = 'AGENTOPS_EVAL_COPY';

/**
 * @param marker of the attempt's lease
 * @param folder absolute, real path
 * @returns how many processes were ended
 */
export function endLeftovers(marker: string, folder: string): Promise<number> {
  return endThose(marker, (pid, environment) => {
    if (environment.includes(`${FOLDER_VARIABLE}=${folder}`)) return true;
    const working = tried(() => readlinkSync(`/proc/${pid}/cwd`)) ?? '';
    return working === folder || working.startsWith(`${folder}/`);
  });
}

/**
 * @param entry of the environment that only those have, as `NAME=value`
 * @returns how many processes were ended
 */
export function endStartedWith(marker: string, entry: string): Promise<number> {
  return endThose(marker, (_, environment) => environment.includes(entry));
}

type Belongs = (pid: number, environment: readonly string[]) => boolean;

async function endThose(marker: string, belongs: Belongs): Promise<number> {
  const ended = new Set<number>();
  for (let round = 0; round < ROUNDS; round++) {
    const left = findLeftovers(marker, belongs);
    if (left.length === 0) break;
    for (const { pid, started } of left) {
      // The pid may stand for another process by now.
      if (startedAt(pid) !== started) continue;
      ended.add(pid);
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has just ended, or is not ours.
      }
    }
    await pause(PAUSE_MS);
  }
  return ended.size;
}

interface Leftover {
  readonly pid: number;
  readonly started: string;
}

function findLeftovers(marker: string, belongs: Belongs): Leftover[] {
  const names = tried(() => readdirSync('/proc')) ?? [];
  const pids = names.filter((name) => /^\d+$/.test(name)).map(Number);
  return pids.map((pid) => leftoverOf(pid, marker, belongs)).filter((each) => each !== undefined);
}

function leftoverOf(pid: number, marker: string, belongs: Belongs): Leftover | undefined {
  if (pid === process.pid) return undefined;
  const environment = (tried(() => readFileSync(`/proc/${pid}/environ`, 'utf8')) ?? '').split('\0');
  if (!environment.includes(`${MARKER_VARIABLE}=${marker}`)) return undefined;
  const started = startedAt(pid);
  if (started === undefined) return undefined;
  return belongs(pid, environment) ? { pid, started } : undefined;
}

/** Undefined for a process that is gone, or dead and not collected. */
function startedAt(pid: number): string | undefined {
  const text = tried(() => readFileSync(`/proc/${pid}/stat`, 'latin1'));
  const stat = text === undefined ? undefined : parseProcessStat(text);
  return stat === undefined || stat.state === 'Z' || stat.state === 'X' ? undefined : stat.started;
}

/** Undefined when it is not there, or another user's. */
function tried<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

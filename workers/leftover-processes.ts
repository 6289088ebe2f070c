/**
 * Ends what a part of an attempt left running, before the next part begins: processes of this attempt that work in one
 * folder, or that were started for it. What gets away (by leaving the folder and clearing its environment) is ended with
 * the attempt, as everything else; and so is all of it where there is no `/proc`.
 */
import { readdir, readFile, readlink } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { parseProcessStat } from '../lib/base/process-stat.js';
import { MARKER_VARIABLE } from '../lib/model/worker-protocol.js';

const ROUNDS = 20;
const PAUSE_MS = 10;

/** Names the folder in the environment of what is started for it. */
export const FOLDER_VARIABLE = 'AGENTOPS_EVAL_COPY';

/**
 * @param marker of the attempt's lease
 * @param folder absolute, real path
 * @returns how many processes were ended
 */
export async function endLeftovers(marker: string, folder: string): Promise<number> {
  const ended = new Set<number>();
  for (let round = 0; round < ROUNDS; round++) {
    const left = await findLeftovers(marker, folder);
    if (left.length === 0) break;
    for (const { pid, started } of left) {
      // The pid may stand for another process by now.
      if ((await startedAt(pid)) !== started) continue;
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

async function findLeftovers(marker: string, folder: string): Promise<Leftover[]> {
  const names = await readdir('/proc').catch(() => [] as string[]);
  const pids = names.filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(pids.map((pid) => leftoverOf(pid, marker, folder)));
  return found.filter((each) => each !== undefined);
}

async function leftoverOf(pid: number, marker: string, folder: string): Promise<Leftover | undefined> {
  if (pid === process.pid) return undefined;
  const started = await startedAt(pid);
  const environment = (await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '')).split('\0');
  if (started === undefined || !environment.includes(`${MARKER_VARIABLE}=${marker}`)) return undefined;
  if (environment.includes(`${FOLDER_VARIABLE}=${folder}`)) return { pid, started };
  const working = await readlink(`/proc/${pid}/cwd`).catch(() => '');
  return working === folder || working.startsWith(`${folder}/`) ? { pid, started } : undefined;
}

/** Undefined for a process that is gone, or dead and not collected. */
async function startedAt(pid: number): Promise<string | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => undefined);
  const stat = text === undefined ? undefined : parseProcessStat(text);
  return stat === undefined || stat.state === 'Z' || stat.state === 'X' ? undefined : stat.started;
}

/**
 * Finds processes that a test file started and left behind. A process is the file's when its environment holds the
 * file's own `TMPDIR` as one whole entry, or when it sits in the file's process group or session. Where there is no
 * `/proc` only the group can be asked.
 */
import { readdirSync, readFileSync } from 'node:fs';

export interface LeftProcess {
  readonly pid: number;
  readonly command: string;
}

export interface Mark {
  /** One entry of the environment, `NAME=value`. */
  readonly entry: string;
  /** The process that led the file's group and session; it has ended. */
  readonly leader: number;
}

export function leftProcesses(mark: Mark): LeftProcess[] {
  const pids = procPids();
  if (pids === undefined)
    return groupAlive(mark.leader) ? [{ pid: -mark.leader, command: 'the process group of the file' }] : [];
  return pids
    .filter((pid) => pid !== process.pid && belongs(pid, mark))
    .map((pid) => ({ pid, command: commandOf(pid) }));
}

/** Ends each by its pid (a negative one is a group). */
export function endProcesses(processes: readonly LeftProcess[]): void {
  for (const { pid } of processes) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // it ended by itself meanwhile
    }
  }
}

function procPids(): number[] | undefined {
  try {
    const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
    return pids.length > 0 ? pids.map(Number) : undefined;
  } catch {
    return undefined;
  }
}

function belongs(pid: number, mark: Mark): boolean {
  const stat = readProc(pid, 'stat');
  // The command name may hold spaces and brackets: the numbers start behind the last bracket.
  const [state, , group, session] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (stat === '' || state === 'Z' || state === 'X') return false;
  if (Number(group) === mark.leader || Number(session) === mark.leader) return true;
  return readProc(pid, 'environ').split('\0').includes(mark.entry);
}

function commandOf(pid: number): string {
  return readProc(pid, 'cmdline').split('\0').join(' ').trim() || '(unknown command)';
}

function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

function groupAlive(leader: number): boolean {
  try {
    process.kill(-leader, 0);
    return true;
  } catch {
    return false;
  }
}

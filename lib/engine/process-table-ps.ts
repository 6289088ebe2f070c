/**
 * The process table of systems without `/proc` (macOS), from `ps`. What is weaker there: a start time has the precision
 * of a second, the environment of programs that the system protects can't be seen, and a value with a space in it can't
 * be told from two entries. So beside the marker the tree of parents does most of the work.
 */
import { execFile, execFileSync } from 'node:child_process';
import { promisify } from 'node:util';
import type { ProcessFacts, ProcessTable } from './process-table.js';

const run = promisify(execFile);
const COLUMNS = 'pid=,ppid=,pgid=,uid=,state=,lstart=';
const OUTPUT_BYTES = 64 * 1024 * 1024;
const MAX_MS = 10_000;
const english = { ...process.env, LC_ALL: 'C' };

/** A line of `ps` with the columns above. */
export function parsePsLine(line: string): { facts: ProcessFacts; uid: number } | undefined {
  const match = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s+(\S)\S*\s+(\S.*\S)\s*$/.exec(line);
  if (match === null) return undefined;
  const [, pid, parent, group, uid, state, started] = match as unknown as [
    string,
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  const facts = { pid: Number(pid), parent: Number(parent), group: Number(group), session: 0, state, started };
  return { facts, uid: Number(uid) };
}

/** Whether a command line with its environment behind it, as `ps -E` prints it, holds the entry between spaces. */
export function psLineHolds(line: string, entry: string): boolean {
  return ` ${line} `.includes(` ${entry} `);
}

export class PsTable implements ProcessTable {
  async list(): Promise<readonly ProcessFacts[]> {
    const { stdout } = await run('ps', ['-axww', '-o', COLUMNS], {
      maxBuffer: OUTPUT_BYTES,
      timeout: MAX_MS,
      env: english,
    });
    return stdout.split('\n').flatMap((line) => parsePsLine(line)?.facts ?? []);
  }

  find(pid: number): ProcessFacts | undefined {
    return this.#one(pid)?.facts;
  }

  isOwn(pid: number): boolean {
    return this.#one(pid)?.uid === process.getuid?.();
  }

  async withEntry(candidates: readonly ProcessFacts[], entry: string): Promise<readonly ProcessFacts[]> {
    const { stdout } = await run('ps', ['-axwwE', '-o', 'pid=,command='], {
      maxBuffer: OUTPUT_BYTES,
      timeout: MAX_MS,
      env: english,
    });
    const holders = new Set(
      stdout
        .split('\n')
        .filter((line) => psLineHolds(line, entry))
        .map((line) => Number.parseInt(line, 10)),
    );
    return candidates.filter((candidate) => holders.has(candidate.pid));
  }

  moment(): undefined {
    return undefined;
  }

  beganSince(): boolean {
    return true;
  }

  #one(pid: number): { facts: ProcessFacts; uid: number } | undefined {
    try {
      const args = ['-ww', '-o', COLUMNS, '-p', String(pid)];
      return parsePsLine(
        execFileSync('ps', args, {
          encoding: 'utf8',
          timeout: MAX_MS,
          env: english,
          stdio: ['ignore', 'pipe', 'ignore'],
        }),
      );
    } catch {
      return undefined;
    }
  }
}

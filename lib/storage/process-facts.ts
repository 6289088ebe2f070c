/**
 * What the system tells about processes: enough to prove that the owner of a term is alive or dead. A pid alone proves
 * nothing, it is used again; a pid with its start time, in one boot and one pid namespace, names one process.
 *
 * Linux: `/proc`. macOS: `ps` and `sysctl`, which start a process of their own and take some milliseconds; there are
 * no pid namespaces. Elsewhere nothing can be proven, and whoever asks has to wait instead.
 * This file implements the seam, so it alone reads `/proc`.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';

export interface ProcessIdentity {
  readonly pid: number;
  /** Start time as the system writes it; only compared for equality. */
  readonly started: string | undefined;
  /** The running boot of the machine. */
  readonly bootId: string | undefined;
  readonly pidNamespace: string | undefined;
}

export interface ProcessFacts {
  self(): ProcessIdentity;
  /** The process that has this pid now, in our own boot and namespace; undefined when there is none. */
  lookUp(pid: number): { readonly started: string | undefined; readonly zombie: boolean } | undefined;
}

/** Fields of `/proc/<pid>/stat` behind the name in parentheses, which may itself hold anything. */
const STATE_FIELD = 0;
const STARTED_FIELD = 19;
const PS_TIMEOUT_MS = 5_000;

export function createProcessFacts(platform: string = process.platform): ProcessFacts {
  if (platform === 'linux') return linuxFacts;
  if (platform === 'darwin') return macFacts;
  return unknownFacts;
}

const linuxFacts: ProcessFacts = {
  self() {
    return {
      pid: process.pid,
      started: linuxStat('self')?.started,
      bootId: attempt(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()),
      pidNamespace: attempt(() => readlinkSync('/proc/self/ns/pid')),
    };
  },
  lookUp: (pid) => linuxStat(String(pid)),
};

function linuxStat(name: string): { started: string | undefined; zombie: boolean } | undefined {
  const text = attempt(() => readFileSync(`/proc/${name}/stat`, 'latin1'));
  if (text === undefined) return undefined;
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const state = fields[STATE_FIELD];
  return { started: fields[STARTED_FIELD], zombie: state === 'Z' || state === 'X' };
}

const macFacts: ProcessFacts = {
  self() {
    return {
      pid: process.pid,
      started: macStat(process.pid)?.started,
      bootId: attempt(() => run('sysctl', ['-n', 'kern.bootsessionuuid'])),
      pidNamespace: 'none',
    };
  },
  lookUp: macStat,
};

function macStat(pid: number): { started: string | undefined; zombie: boolean } | undefined {
  const line = attempt(() => run('ps', ['-o', 'stat=,lstart=', '-p', String(pid)]));
  const parts = line === undefined ? null : /^(\S+)\s+(.+)$/.exec(line);
  return parts === null ? undefined : { started: parts[2], zombie: (parts[1] ?? '').startsWith('Z') };
}

const unknownFacts: ProcessFacts = {
  self: () => ({ pid: process.pid, started: undefined, bootId: undefined, pidNamespace: undefined }),
  lookUp: () => undefined,
};

function run(program: string, programArguments: string[]): string {
  return execFileSync(program, programArguments, {
    encoding: 'utf8',
    timeout: PS_TIMEOUT_MS,
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim();
}

/** The files and programs of one process come and go with it: a failure means that there is no answer. */
function attempt<Value>(ask: () => Value): Value | undefined {
  try {
    return ask();
  } catch {
    return undefined;
  }
}

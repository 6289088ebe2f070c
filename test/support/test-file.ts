/**
 * Runs one test file in a process of its own and judges it. A file is good only when it reported its numbers, every
 * test passed, there was at least one, none was left out, the process ended by itself with exit code 0 within its time,
 * no process and no temporary file of it stayed behind.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { endProcesses, type LeftProcess, leftProcesses } from './left-behind.js';
import type { HostLingering, HostReport } from './test-host.js';

export interface FileLimits {
  /** From the start of the process to its end. */
  readonly timeoutMs: number;
  /** How long a process may go on after it has reported. */
  readonly lingerMs: number;
  /** How long children may take to end after the file has. */
  readonly settleMs: number;
  readonly skipsAllowed: boolean;
}
export interface FileResult {
  readonly file: string;
  readonly passed: number;
  readonly failed: number;
  /** Reasons of the `SKIP` lines. */
  readonly skips: readonly string[];
  /** Why the file is not good; empty when it is. */
  readonly faults: readonly string[];
  readonly output: string;
  readonly durationMs: number;
}

export const fileLimits: FileLimits = Object.freeze({
  timeoutMs: 120_000,
  lingerMs: 5_000,
  settleMs: 2_000,
  skipsAllowed: true,
});

const OUTPUT_BYTES = 16_777_216;
const HOST = fileURLToPath(new URL('./test-host.js', import.meta.url));
const running = new Set<ChildProcess>();

/**
 * @param file absolute path of a compiled test
 * @param folder a path of the file's own, not there yet: its temporary files go below; removed at the end
 */
export async function runTestFile(file: string, folder: string, limits: FileLimits = fileLimits): Promise<FileResult> {
  const startedAt = performance.now();
  const temporary = join(folder, 'tmp');
  mkdirSync(temporary, { recursive: true });
  const child = spawn(process.execPath, [HOST, file], {
    detached: true,
    env: environment(temporary, join(folder, 'state')),
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  running.add(child);
  const run = await watch(child, limits);
  const left = await settle({ entry: `TMPDIR=${temporary}`, leader: child.pid ?? 0 }, limits.settleMs);
  running.delete(child);
  const output = await run.output();
  const skips = [...output.matchAll(/^SKIP (\S.*)$/gm)].map((line) => line[1] ?? '');
  const faults = [
    ...(run.stopped ?? []),
    ...faultsOfReport(run.report, file),
    ...(run.stopped === undefined ? faultsOfEnd(run.exitCode, run.signal) : []),
    ...left.map(({ pid, command }) => `left a process behind: ${pid} ${command}`),
    ...readdirSync(temporary).map((name) => `left a temporary file behind: ${name}`),
    ...(limits.skipsAllowed ? [] : skips.map((reason) => `skipped where skips are not allowed: ${reason}`)),
  ];
  rmSync(folder, { recursive: true, force: true });
  const { passed, failed } = numbers(run.report, faults);
  return { file, passed, failed, skips, faults, output, durationMs: performance.now() - startedAt };
}

/** Kills what runs now: for a runner that was told to stop. */
export function endRunningFiles(): void {
  for (const child of running) endGroup(child);
}

interface Watched {
  readonly report: HostReport | undefined;
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** Why we ended it, if we did. */
  readonly stopped: readonly string[] | undefined;
  /** Everything it printed; waits a little for the pipes to close. */
  output(): Promise<string>;
}

async function watch(child: ChildProcess, limits: FileLimits): Promise<Watched> {
  let report: HostReport | undefined;
  let lingering: readonly string[] = [];
  let stopped: string[] | undefined;
  const stop = (why: () => string): void => {
    stopped ??= [why()];
    endGroup(child);
  };
  const timers = [
    setTimeout(() => stop(() => `did not end within ${limits.timeoutMs / 1000} s: killed`), limits.timeoutMs),
  ];
  child.on('message', (message: HostReport | HostLingering) => {
    if ('lingering' in message) {
      lingering = message.lingering;
      return;
    }
    report = message;
    const why = () => `its tests ended but its process did not; still open: ${lingering.join(', ') || 'unknown'}`;
    timers.push(setTimeout(() => stop(why), limits.lingerMs));
  });
  const output = collect(child);
  const [exitCode, signal] = await new Promise<[number | null, string | null]>((resolve) => {
    child.once('exit', (code, name) => resolve([code, name]));
    child.once('error', (error) => {
      stopped ??= [`could not be started: ${error.message}`];
      resolve([null, null]);
    });
  });
  for (const timer of timers) clearTimeout(timer);
  return { report, exitCode, signal, stopped, output };
}

/** Gathers standard output and error in the order they come. */
function collect(child: ChildProcess): () => Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const take = (chunk: Buffer): void => {
    if (bytes < OUTPUT_BYTES) chunks.push(chunk);
    bytes += chunk.length;
  };
  child.stdout?.on('data', take);
  child.stderr?.on('data', take);
  const closed = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
    child.once('error', () => resolve());
  });
  return async () => {
    await Promise.race([closed, pause(1_000, undefined, { ref: false })]);
    const gap = bytes > OUTPUT_BYTES ? `\n… the output went on: ${bytes} bytes in all\n` : '';
    return Buffer.concat(chunks).toString('utf8') + gap;
  };
}

/** Waits for the file's last children to end; kills and answers those that do not. */
async function settle(mark: { entry: string; leader: number }, settleMs: number): Promise<LeftProcess[]> {
  const deadline = performance.now() + settleMs;
  let left = leftProcesses(mark);
  while (left.length > 0 && performance.now() < deadline) {
    await pause(50);
    left = leftProcesses(mark);
  }
  const found = left;
  for (let round = 0; left.length > 0 && round < 20; round++) {
    endProcesses(left);
    await pause(25);
    left = leftProcesses(mark);
  }
  return found;
}

function faultsOfReport(report: HostReport | undefined, file: string): string[] {
  if (report === undefined) {
    return [
      "ended before its tests did: it exited, or a test waited for something that keeps no process alive (an unref'd timer)",
    ];
  }
  const faults: string[] = [];
  if (report.total === 0) faults.push('no test ran: is there a suite, and its run()?');
  if (report.suites < declaredSuites(file))
    faults.push(`${declaredSuites(file)} suites are declared, ${report.suites} ran: a run() is missing`);
  if (report.skipped > 0) faults.push(`${report.skipped} tests left out by .skip or .only`);
  if (report.passed !== report.total)
    faults.push(`${report.total - report.passed} of ${report.total} tests did not pass`);
  return faults;
}

function faultsOfEnd(exitCode: number | null, signal: string | null): string[] {
  if (signal !== null) return [`ended by ${signal}`];
  return exitCode === 0 ? [] : [`exit code ${exitCode}`];
}

function declaredSuites(file: string): number {
  return readFileSync(file, 'utf8').match(/^(?:export )?(?:const|let|var) .*(?<![.\w])suite\(/gm)?.length ?? 0;
}

/** A fault beside the failed tests counts as one failure more: the sum is never 0 for a file with a fault. */
function numbers(report: HostReport | undefined, faults: readonly string[]): { passed: number; failed: number } {
  const passed = report?.passed ?? 0;
  const failed = report === undefined ? 0 : report.total - report.passed;
  return { passed, failed: faults.length > 0 ? Math.max(failed, 1) : failed };
}

function endGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // the group is gone already
  }
}

/** The runner's environment without what would steer a test: its own state folder, no repository, no token, no colour. */
function environment(temporary: string, state: string): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(AGENTOPS|GIT_|FORCE_COLOR$|NODE_ENV$|XDG_STATE_HOME$)/.test(name),
  );
  return { ...Object.fromEntries(kept), TMPDIR: temporary, AGENTOPSD_STATE_DIR: state };
}

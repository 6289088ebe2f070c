/**
 * Kills workers at random points: a handler runs in a process of its own, is killed, runs again as its next attempt, and
 * in the end everything is as if nobody had disturbed it.
 *
 * A scenario is a module of `fixtures/killed/` with a `KilledScenario` as its default export; its test is
 *
 *     const scenario = new URL('../support/fixtures/killed/wiki.js', import.meta.url);
 *     test('…', () => killAtRandomPoints(scenario, { rounds: rounds(40) }));
 *
 * A round lays down an empty repository, kills the work once or twice, and runs it to its end. Half of the kills come
 * before a step (a call that changes files, or starts a process) counted from the beginning, so that each gap between
 * two steps is as likely as another; the others come after a time, so that they also fall into the midst of a call.
 * Attempts count up; job ids stay (`job-1`, `job-2`, … in the order of `bench.run`). What the jobs record and submit is
 * kept beside the repository by `kernel-double.ts`, as the ledger would keep it.
 *
 * After each kill every file outside of `.agents/runs` has to be what it was before the round or what it is after an
 * undisturbed run (`mayHold` lets others be). After the last run those files, the artifacts of the last job, and what was
 * recorded and submitted have to be the same as after an undisturbed run, byte for byte.
 *
 * `CRASH_ROUNDS` asks for more rounds, `CRASH_SEED` repeats the choices of a run that failed.
 */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { sweep } from '../../lib/engine/processes.js';
import { MARKER_VARIABLE } from '../../lib/model/worker-protocol.js';
import { createBench, type WorkerBench } from './builtin-context.js';
import { Chance } from './crash-chance.js';
import { createKernelDouble } from './kernel-double.js';

export interface KilledScenario {
  /** Lays down what the work begins with, in an empty repository. */
  prepare(bench: WorkerBench): void;
  /** The work, a job or several; given the same repository it has to come to the same. */
  work(bench: WorkerBench): Promise<void>;
  /** Whether it starts processes: what of them is left is then ended after each kill, as the daemon would do it. */
  readonly startsProcesses?: true;
  /** Artifacts that tell times or the like, and so are not compared. */
  readonly differing?: readonly string[];
}

export interface KillOptions {
  readonly rounds: number;
  /** Whether a file may hold this between two attempts, besides what it held before and holds in the end. */
  readonly mayHold?: (path: string, text: string) => boolean;
  /**
   * Which part of the kills has to come before the work is done; default a half. Work that goes on from checkpoints is
   * done sooner at each attempt, and more kills come too late.
   */
  readonly leastInTime?: number;
}

export interface KillReport {
  readonly kills: number;
  /** Kills that came before the work was done. */
  readonly interrupted: number;
  /** Steps of an undisturbed run. */
  readonly steps: number;
}

type Files = ReadonlyMap<string, string>;
interface Undisturbed {
  readonly before: Files;
  readonly after: Files;
  readonly outcome: unknown;
  readonly steps: number;
  readonly ms: number;
}

const PROGRAM = fileURLToPath(new URL('./killed-process.js', import.meta.url));

/** @throws an assertion that names the round, its kills and the seed */
export async function killAtRandomPoints(scenarioUrl: URL, options: KillOptions): Promise<KillReport> {
  const chance = new Chance();
  const { default: scenario } = (await import(scenarioUrl.href)) as { default: KilledScenario };
  const place = createBench();
  try {
    const undisturbed = await runUndisturbed(scenario, scenarioUrl, place);
    const report = { kills: 0, interrupted: 0, steps: undisturbed.steps };
    for (let round = 0; round < options.rounds; round++) {
      layDown(scenario, place);
      const story = [`round ${round} with CRASH_SEED=${chance.seed}`];
      const kills = chance.between(1, 2);
      for (let attempt = 1; attempt <= kills; attempt++) {
        const kill = killPoint(chance, undisturbed);
        story.push(`attempt ${attempt} killed ${kill.told}`);
        report.kills += 1;
        const inTime = await runAndKill(scenarioUrl, place.root, attempt, kill, scenario.startsProcesses);
        if (inTime) report.interrupted += 1;
        checkFiles(place.root, undisturbed, options, story.join(', '));
      }
      const outcome = await runToEnd(scenario, place.root, kills + 1);
      assert.equal(outcome, undisturbed.outcome, `${story.join(', ')}: not as if undisturbed`);
    }
    assert.ok(
      report.interrupted >= report.kills * (options.leastInTime ?? 0.5),
      `${report.interrupted} of ${report.kills} kills came in time`,
    );
    return report;
  } finally {
    place.remove();
  }
}

/** The work to its end in this process. @returns what it came to */
export async function runToEnd(scenario: KilledScenario, root: string, attempt: number): Promise<unknown> {
  const bench = createBench(root, attempt);
  const kernelFolder = join(dirname(root), 'kernel');
  bench.kernel = createKernelDouble(kernelFolder);
  bench.startsProcesses = scenario.startsProcesses === true;
  mkdirSync(kernelFolder, { recursive: true });
  await scenario.work(bench);
  const compared = Object.entries(bench.artifacts).filter(([name]) => scenario.differing?.includes(name) !== true);
  const artifacts = compared.map(([name, path]) => [name, bench.read(path)]);
  return {
    files: filesOf(root),
    artifacts: artifacts.sort(),
    recorded: bench.kernel.recorded(),
    beside: readdirSync(dirname(root)).sort(),
  };
}

async function runUndisturbed(scenario: KilledScenario, url: URL, place: WorkerBench): Promise<Undisturbed> {
  layDown(scenario, place);
  const before = filesOf(place.root);
  const child = startProcess(url, place.root, 1);
  const begun = performance.now();
  const { steps, ms } = JSON.parse(await child.told) as { steps: number; ms: number };
  await child.ended;
  assert.ok(steps > 0, `the work of ${url.pathname} ended well in ${performance.now() - begun} ms`);
  layDown(scenario, place);
  const outcome = await runToEnd(scenario, place.root, 1);
  return { before, after: filesOf(place.root), outcome, steps, ms };
}

function layDown(scenario: KilledScenario, { root }: WorkerBench): void {
  for (const folder of readdirSync(dirname(root)))
    rmSync(join(dirname(root), folder), { recursive: true, force: true });
  mkdirSync(root);
  scenario.prepare(createBench(root));
}

interface KillPoint {
  readonly told: string;
  readonly step?: number;
  readonly afterMs?: number;
}

function killPoint(chance: Chance, { steps, ms }: Undisturbed): KillPoint {
  if (chance.below(2) === 0) {
    const step = chance.between(1, steps);
    return { step, told: `before step ${step} of ${steps}` };
  }
  const afterMs = chance.below(Math.ceil(ms));
  return { afterMs, told: `after ${afterMs} ms` };
}

/** @returns whether the kill came before the end */
async function runAndKill(
  url: URL,
  root: string,
  attempt: number,
  kill: KillPoint,
  startsProcesses = false,
): Promise<boolean> {
  const child = startProcess(url, root, attempt, kill.step);
  const { afterMs } = kill;
  if (afterMs !== undefined) {
    await child.began;
    await Promise.race([pause(afterMs), child.ended]);
    child.kill();
  }
  const signal = await child.ended;
  if (startsProcesses) await sweep({ marker: child.marker, recorded: [] });
  return signal === 'SIGKILL';
}

interface KilledProcess {
  readonly marker: string;
  /** It is about to work. */
  readonly began: Promise<void>;
  /** What it told at its end. */
  readonly told: Promise<string>;
  /** The signal that ended it. @throws when it failed */
  readonly ended: Promise<string | undefined>;
  kill(): void;
}

function startProcess(url: URL, root: string, attempt: number, step?: number): KilledProcess {
  const marker = `killed-${randomUUID()}`;
  const child = spawn(process.execPath, [PROGRAM, url.href, root, String(attempt), String(step ?? 0)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, [MARKER_VARIABLE]: marker },
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  const ended = once(child, 'close').then(([code, signal]) => {
    assert.ok(signal === 'SIGKILL' || code === 0, `attempt ${attempt} failed: exit code ${code}, signal ${signal}`);
    return (signal as string | null) ?? undefined;
  });
  const began = Promise.race([once(child.stdout, 'data'), ended]).then(() => undefined);
  const told = ended.then(() => text.split('\n')[1] ?? '');
  return { marker, began, told, ended, kill: () => void child.kill('SIGKILL') };
}

function checkFiles(root: string, { before, after }: Undisturbed, { mayHold }: KillOptions, story: string): void {
  for (const [path, text] of filesOf(root)) {
    if (text === before.get(path) || text === after.get(path) || mayHold?.(path, text) === true) continue;
    assert.is(text, after.get(path) ?? before.get(path), `${story}: ${path}`);
  }
  for (const path of before.keys())
    if (after.has(path)) assert.ok(filesOf(root).has(path), `${story}: ${path} is gone`);
}

/** Everything below the root but `.agents/runs`; a link is its target. */
function filesOf(root: string): Files {
  const names = readdirSync(root, { recursive: true, encoding: 'utf8' }).sort();
  const files = new Map<string, string>();
  for (const name of names) {
    if (name.startsWith('.agents/runs')) continue;
    const facts = lstatSync(join(root, name));
    if (facts.isFile()) files.set(name, readFileSync(join(root, name), 'latin1'));
    else if (facts.isSymbolicLink()) files.set(name, `-> ${readlinkSync(join(root, name))}`);
  }
  return files;
}

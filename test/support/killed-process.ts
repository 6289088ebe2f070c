/**
 * The process that `killed-worker.ts` kills: `node killed-process.js SCENARIO ROOT ATTEMPT STEP`. Prints `go` as the work
 * begins, and when it comes to its end how many steps it took and how long. With a STEP it kills itself before that one.
 */
import childProcess from 'node:child_process';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { type KilledScenario, runToEnd } from './killed-worker.js';

const [, , scenarioUrl = '', root = '', attempt = '1', killStep = '0'] = process.argv;

type Calls = Record<string, (...args: unknown[]) => unknown>;
const STEPS = 'appendFile chmod copyFile cp link mkdir open rename rm rmdir symlink truncate unlink writeFile'.split(
  ' ',
);
const HANDLE_STEPS = 'appendFile close datasync sync truncate write writeFile'.split(' ');

let steps = 0;

function step(): void {
  steps += 1;
  if (steps === Number(killStep)) process.kill(process.pid, 'SIGKILL');
}

function countCalls(owner: Calls, names: readonly string[]): void {
  for (const name of names) {
    const original = owner[name];
    if (original === undefined) continue;
    owner[name] = function (this: unknown, ...args: unknown[]) {
      step();
      return original.apply(this, args);
    };
  }
}

const { default: scenario } = (await import(scenarioUrl)) as { default: KilledScenario };
const handle = await fs.promises.open('/dev/null');
countCalls(Object.getPrototypeOf(handle) as Calls, HANDLE_STEPS);
await handle.close();
countCalls(fs.promises as unknown as Calls, STEPS);
countCalls(
  fs as unknown as Calls,
  STEPS.map((name) => `${name}Sync`),
);
countCalls(childProcess as unknown as Calls, ['spawn']);
syncBuiltinESMExports();
steps = 0;
process.stdout.write('go\n');
const begunMs = performance.now();
await runToEnd(scenario, root, Number(attempt));
process.stdout.write(`${JSON.stringify({ steps, ms: performance.now() - begunMs })}\n`);

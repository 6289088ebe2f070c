/**
 * Runs the simulation, or the tests that it names, against each planted bug, in a copy of what is built: `make planted`.
 * Every bug has to be caught;
 * without a bug the same seeds have to hold. A bug whose text does not stand in the build exactly once is told as not
 * delivered, which fails as well.
 *
 *     node dist/test/planted/main.js [--seed N] [--runs N] [part of a name …]
 */
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { bugs, type PlantedBug } from './bugs.js';

const build = fileURLToPath(new URL('../..', import.meta.url));
const repository = join(build, '..');
const RUN_LIMIT_MS = 240_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { seed: { type: 'string', default: '1' }, runs: { type: 'string', default: '1200' } },
});

interface Outcome {
  readonly status: 'caught' | 'NOT CAUGHT' | 'NOT DELIVERED' | 'BROKEN';
  readonly seeds: number | undefined;
  readonly how: string;
}

/** A folder with what is built, that may be changed. */
function copyBuild(): string {
  const folder = mkdtempSync(join(tmpdir(), 'agentopsd-planted-'));
  cpSync(build, join(folder, 'dist'), { recursive: true });
  for (const name of readdirSync(repository))
    if (name !== 'dist' && name !== '.git') symlinkSync(join(repository, name), join(folder, name));
  return folder;
}

async function plant(folder: string, { file, from, to, seenBy }: PlantedBug): Promise<Outcome> {
  const path = join(folder, 'dist/lib', file);
  const text = readFileSync(path, 'utf8');
  const count = text.split(from).length - 1;
  if (count !== 1)
    return { status: 'NOT DELIVERED', seeds: undefined, how: `its text stands ${count} times in ${file}` };
  writeFileSync(
    path,
    text.replace(from, () => to),
  );
  try {
    return seenBy === undefined ? judge(await simulate(folder)) : judgeTests(await runTests(folder, seenBy));
  } finally {
    writeFileSync(path, text);
  }
}

function judge(output: string): Outcome {
  const found = /^VIOLATION seed (\d+) .*?: (.*)$/m.exec(output);
  if (found !== null)
    return { status: 'caught', seeds: Number(found[1]) - Number(values.seed) + 1, how: (found[2] ?? '').slice(0, 110) };
  if (/ 0 violated/.test(output)) return { status: 'NOT CAUGHT', seeds: undefined, how: '' };
  return { status: 'BROKEN', seeds: undefined, how: output.trim().split('\n').at(-1) ?? '' };
}

function judgeTests(output: string): Outcome {
  const failed = /^FAIL .*$/m.exec(output);
  if (failed !== null) return { status: 'caught', seeds: undefined, how: failed[0].slice(0, 110) };
  if (/^[1-9]\d* passed, 0 failed$/m.test(output)) return { status: 'NOT CAUGHT', seeds: undefined, how: '' };
  return { status: 'BROKEN', seeds: undefined, how: output.trim().split('\n').at(-1) ?? '' };
}

function simulate(folder: string): Promise<string> {
  const args = ['--seed', values.seed, '--runs', values.runs, '--until-violation'];
  return outputOf(join(folder, 'dist/test/simulation/main.js'), args);
}

function runTests(folder: string, part: string): Promise<string> {
  return outputOf(join(folder, 'dist/test/support/run.js'), [part]);
}

function outputOf(main: string, args: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, [main, ...args], {
    timeout: RUN_LIMIT_MS,
    killSignal: 'SIGKILL',
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString('utf8');
    });
  return new Promise((resolve) => child.on('close', () => resolve(output)));
}

function row(name: string, seeds: string, how: string): void {
  console.log(`${name.padEnd(56)}${seeds.padStart(14)}  ${how}`);
}

const chosen = bugs.filter(({ name }) => positionals.length === 0 || positionals.some((part) => name.includes(part)));
const folder = copyBuild();
let failed = 0;
try {
  row('planted bug', 'seeds needed', 'caught by');
  for (const bug of chosen) {
    const { status, seeds, how } = await plant(folder, bug);
    if (status !== 'caught') failed += 1;
    row(bug.name, status === 'caught' ? String(seeds ?? 'tests') : status, how);
  }
  if (positionals.length === 0) {
    const { status, how } = judge(await simulate(folder));
    if (status !== 'NOT CAUGHT') failed += 1;
    row('none', status === 'NOT CAUGHT' ? 'holds' : status, how);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(`${chosen.length} planted bugs, ${failed} of them not caught`);
process.exitCode = failed === 0 && chosen.length > 0 ? 0 : 1;

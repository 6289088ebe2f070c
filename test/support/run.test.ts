import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type FileLimits, type FileResult, fileLimits, runTestFile } from './test-file.js';

const test = suite<{ folder: string }>('test runner');
const shortLimits: FileLimits = { ...fileLimits, timeoutMs: 20_000, lingerMs: 4_000, settleMs: 500 };

function fixture(name: string): string {
  return fileURLToPath(new URL(`./fixtures/${name}.fixture.js`, import.meta.url));
}

test.before.each((context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'agentopsd-'));
});
test.after.each((context) => rmSync(context.folder, { recursive: true, force: true }));

async function run(folder: string, name: string, limits: FileLimits = shortLimits): Promise<FileResult> {
  return runTestFile(fixture(name), join(folder, 'file'), limits);
}

test('a good file is good', async ({ folder }) => {
  const result = await run(folder, 'passes');
  assert.equal([result.passed, result.failed, result.faults], [2, 0, []]);
});

const faults: Record<string, RegExp> = {
  fails: /1 of 2 tests did not pass/,
  'throws-before': /1 of 1 tests did not pass/,
  'throws-string': /1 of 1 tests did not pass/,
  'throws-after-each': /1 of 1 tests did not pass/,
  only: /1 tests left out/,
  skips: /1 tests left out/,
  'no-run': /no test ran/,
  'second-no-run': /2 suites are declared, 1 ran/,
  'exits-early': /ended before its tests did/,
  'prints-garbage': /1 of 1 tests did not pass/,
  'rejects-late': /exit code 1/,
  'keeps-handle': /process did not; still open: .*TCP/,
  'leaves-process': /left a process behind: \d+ .*left-by-fixture/,
  'leaves-folder': /left a temporary file behind: agentopsd-/,
};
for (const [name, fault] of Object.entries(faults)) {
  test(`a file is not good when it does this: ${name}`, async ({ folder }) => {
    const result = await run(folder, name);
    assert.match(result.faults.join('\n'), fault);
    assert.ok(result.failed > 0, 'it counts as a failure');
  });
}

test('a file that hangs is killed', async ({ folder }) => {
  const result = await run(folder, 'hangs', { ...shortLimits, timeoutMs: 1_500 });
  assert.match(result.faults.join('\n'), /did not end within 1.5 s/);
  assert.ok(result.durationMs < 15_000);
});

test('a file that is not there fails', async ({ folder }) => {
  const result = await run(folder, 'no-such');
  assert.match(result.faults.join('\n'), /ended before its tests did/);
  assert.match(result.output, /ERR_MODULE_NOT_FOUND/);
});

test('a skip of the environment is counted, and can be forbidden', async ({ folder }) => {
  const allowed = await run(folder, 'says-skip');
  assert.equal([allowed.skips, allowed.faults], [['no moon on this machine'], []]);
  const forbidden = await run(folder, 'says-skip', { ...shortLimits, skipsAllowed: false });
  assert.is(forbidden.faults.length, 1);
});

/** The runner itself over a folder of fixtures, which have to stand where their imports are found. */
function runner(
  folder: string,
  names: readonly string[],
  ...more: string[]
): { status: number | null; lines: string[] } {
  for (const name of names) copyFileSync(fixture(name), join(folder, `${name}.test.js`));
  const program = fileURLToPath(new URL('./run.js', import.meta.url));
  const ended = spawnSync(process.execPath, [program, '--folder', folder, ...more], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  return { status: ended.status, lines: ended.stdout.trimEnd().split('\n') };
}

test('the runner ends with its numbers, and shows the output of what failed', () => {
  const folder = fileURLToPath(new URL(`./fixtures/of-run-${process.pid}`, import.meta.url));
  mkdirSync(folder);
  try {
    const green = runner(folder, ['passes']);
    assert.equal([green.status, green.lines.at(-1)], [0, '2 passed, 0 failed']);
    const red = runner(folder, ['passes', 'fails']);
    assert.equal([red.status, red.lines.at(-1)], [1, '3 passed, 1 failed']);
    assert.match(red.lines.join('\n'), /the marker of a failed test/);
    const part = runner(folder, [], 'passes');
    assert.is(part.lines.at(-1), '2 passed, 0 failed');
    const none = runner(folder, [], 'no-such-part');
    assert.equal([none.status, none.lines.at(-1)], [1, '0 passed, 1 failed']);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test.run();

/**
 * The test runner: each `*.test.js` below the built `test` folder in a process of its own, three at a time. It cannot be
 * green by accident (see `test-file.ts`), and its last line is `N passed, N failed`.
 *
 *     node dist/test/support/run.js [--jobs N] [--timeout-seconds N] [--no-skips] [part of a path …]
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { endRunningFiles, type FileLimits, type FileResult, fileLimits, runTestFile } from './test-file.js';

interface Options {
  readonly folder: string;
  readonly parts: readonly string[];
  readonly jobs: number;
  readonly limits: FileLimits;
}

function readOptions(): Options {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      folder: { type: 'string', default: fileURLToPath(new URL('..', import.meta.url)) },
      jobs: { type: 'string', default: '3' },
      'timeout-seconds': { type: 'string', default: String(fileLimits.timeoutMs / 1000) },
      'no-skips': { type: 'boolean', default: false },
    },
  });
  const limits = {
    ...fileLimits,
    timeoutMs: positive(values['timeout-seconds']) * 1000,
    skipsAllowed: !values['no-skips'],
  };
  return { folder: values.folder, parts: positionals, jobs: positive(values.jobs), limits };
}

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new Error(`not a number above 0: ${text}`);
  return value;
}

function findFiles(folder: string, parts: readonly string[]): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.js') && !name.split(sep).includes('fixtures'))
    .filter((name) => parts.length === 0 || parts.some((part) => name.split(sep).join('/').includes(part)))
    .sort()
    .map((name) => join(folder, name));
}

async function runAll(files: readonly string[], options: Options, scratch: string): Promise<FileResult[]> {
  const results: FileResult[] = [];
  const waiting = [...files.entries()];
  const lane = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [number, file] = next;
      const result = await runTestFile(file, join(scratch, String(number)), options.limits);
      print(result, options.folder);
      results.push(result);
    }
  };
  await Promise.all(Array.from({ length: options.jobs }, lane));
  return results;
}

function print(result: FileResult, folder: string): void {
  const name = relative(folder, result.file);
  const seconds = (result.durationMs / 1000).toFixed(1);
  if (result.faults.length === 0) {
    console.log(`ok   ${name}  ${result.passed} passed  ${seconds} s`);
    return;
  }
  console.log(`FAIL ${name}  ${result.passed} passed, ${result.failed} failed  ${seconds} s`);
  for (const fault of result.faults) console.log(`     - ${fault}`);
  if (result.output.trim() !== '') console.log(result.output.trimEnd().replace(/^/gm, '     | '));
}

function summarize(results: readonly FileResult[], folder: string): number {
  const skips = results.flatMap((result) =>
    result.skips.map((reason) => `SKIP ${relative(folder, result.file)}: ${reason}`),
  );
  for (const line of skips) console.log(line);
  if (skips.length > 0) console.log(`${skips.length} skipped because of this machine`);
  for (const result of results)
    if (result.faults.length > 0) console.log(`FAIL ${relative(folder, result.file)}: ${result.faults[0]}`);
  const passed = results.reduce((sum, result) => sum + result.passed, 0);
  const failed = results.reduce((sum, result) => sum + result.failed, 0);
  const nothing = passed + failed === 0;
  if (nothing) console.log('no test was found');
  console.log(`${passed} passed, ${nothing ? 1 : failed} failed`);
  return nothing || failed > 0 ? 1 : 0;
}

async function main(): Promise<void> {
  const options = readOptions();
  process.umask(0o022);
  const scratch = mkdtempSync(join(tmpdir(), 'agentopsd-tests-'));
  const leave = (): void => rmSync(scratch, { recursive: true, force: true });
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    process.once(signal, () => {
      endRunningFiles();
      leave();
      process.exit(code);
    });
  }
  try {
    const results = await runAll(findFiles(options.folder, options.parts), options, scratch);
    process.exitCode = summarize(results, options.folder);
  } finally {
    leave();
  }
}

await main();

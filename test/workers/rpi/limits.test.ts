/** What bounds a run of phases: exactly so much passes, and what is more is refused, cut or told. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { JsonObject } from '../../../lib/base/json.js';
import type { BuiltinContext, ConsumerSnapshot } from '../../../workers/builtin-context.js';
import type { SpawnResult } from '../../../workers/context.js';
import { treeOf, writeDifference } from '../../../workers/rpi/difference.js';
import { earlierPhases } from '../../../workers/rpi/earlier.js';
import { rpiLimits } from '../../../workers/rpi/limits.js';
import { readRun } from '../../../workers/rpi/request.js';
import { readObject } from '../../../workers/rpi/results.js';
import { validate } from '../../../workers/rpi/validation.js';
import { rpiRun } from '../../../workers/rpi-run.js';
import { createBench, refusalOf, type WorkerBench } from '../../support/builtin-context.js';
import { GitRepository } from '../../support/git-repository.js';
import { scriptedAgent } from '../../support/scripted-agent.js';

const test = suite<WorkerBench>('limits of rpi');

test.before.each((context) => {
  Object.assign(context, createBench());
  context.startsProcesses = true;
});
test.after.each((context) => context.remove());

const requestOf = (payload: JsonObject) =>
  readRun({ job_id: 'job-1', job_type: 'rpi.run', request_id: 'r', attempt: 1, max_attempts: 3, payload });

/** What is done with the context of a job. */
async function within<T>(bench: WorkerBench, work: (context: BuiltinContext) => Promise<T>): Promise<T> {
  let found: T[] = [];
  await bench.run(
    async (_, context) => {
      found = [await work(context)];
    },
    'rpi.run',
    {},
  );
  return found[0] as T;
}

test('rpiLimits.validationCommands', async () => {
  const { validationCommands } = rpiLimits;
  const request = (count: number) => requestOf({ goal: 'x', validation_commands: Array<string>(count).fill('true') });
  assert.is(request(validationCommands).validationCommands.length, validationCommands);
  assert.is(
    await refusalOf((async () => request(validationCommands + 1))()),
    `payload.validation_commands: at most ${validationCommands} commands can be run`,
  );
});

type SpawnOptions = NonNullable<Parameters<BuiltinContext['spawn']>[2]>;

/** A context whose commands print this and end so. */
function printing(text: string, end: Partial<SpawnResult>, asked: SpawnOptions[] = []): BuiltinContext {
  const spawn = async (_command: string, _args: readonly string[], options: SpawnOptions = {}) => {
    asked.push(options);
    options.onOutput?.(Buffer.from(text));
    return end;
  };
  return { signal: new AbortController().signal, log: () => {}, spawn } as unknown as BuiltinContext;
}

test('rpiLimits.validationMs: a command gets so long, and that it took longer is told', async () => {
  const { validationMs } = rpiLimits;
  const asked: SpawnOptions[] = [];
  const { why } = await validate(printing('', { stopped: 'timeout' }, asked), ['sleep'], '/');
  assert.equal([asked[0]?.timeoutMs, asked[0]?.idleMs], [validationMs, validationMs]);
  assert.is(why, `validation failed: "sleep" took longer than ${validationMs / 1000} s`);
});

test('rpiLimits.outputCharacters: of a long output the end, behind a …', async () => {
  const { outputCharacters } = rpiLimits;
  const output = async (characters: number) => {
    const text = 'abcdefgh'.repeat(characters).slice(0, characters);
    return [text, (await validate(printing(text, { exitCode: 0 }), ['x'], '/')).ends[0]?.output] as const;
  };
  const [all, kept] = await output(outputCharacters);
  assert.is(kept, all);
  const [more, cut] = await output(outputCharacters + 1);
  assert.is(cut, `…${more.slice(2)}`);
});

test('rpiLimits.packetBytes', async (bench) => {
  const { packetBytes } = rpiLimits;
  const agent = scriptedAgent(() => 'done');
  bench.agent = agent;
  const run = () => bench.run(rpiRun, 'rpi.run', { execution_packet_path: 'packet.md', max_phase: 1 });
  bench.put('packet.md', 'p'.repeat(packetBytes));
  await run();
  assert.ok(agent.requests[0]?.prompt.includes('p'.repeat(packetBytes)));
  bench.put('packet.md', 'p'.repeat(packetBytes + 1));
  assert.is(await refusalOf(run()), `payload.execution_packet_path: larger than ${packetBytes} bytes`);
});

test('rpiLimits.summaryCharacters and quotedSummaryCharacters: that something was cut stands there', async (bench) => {
  const { summaryCharacters, quotedSummaryCharacters } = rpiLimits;
  const summaryOf = async (characters: number) => {
    const agent = scriptedAgent(() => 's'.repeat(characters));
    bench.agent = agent;
    await bench.run(rpiRun, 'rpi.run', { goal: 'x', max_phase: 2 });
    const summary = bench.read(bench.artifacts['phase-1/summary.md'] ?? '');
    const quoted = /Summary of the phase discovery\n\n([\s\S]*?)\n\n# This/.exec(agent.requests[1]?.prompt ?? '')?.[1];
    return { summary, quoted: quoted ?? '' };
  };
  const most = await summaryOf(summaryCharacters);
  assert.ok(most.summary.startsWith(`${'s'.repeat(summaryCharacters)}\n\nChanges: `));
  assert.is(most.quoted, `${'s'.repeat(quotedSummaryCharacters)}\n\n[cut here]`);
  const more = await summaryOf(summaryCharacters + 1);
  assert.ok(more.summary.startsWith(`${'s'.repeat(summaryCharacters)}\n\n[cut here]\n\nChanges: `));
  const rest = (await summaryOf(10)).summary.length - 10;
  const fits = await summaryOf(quotedSummaryCharacters - rest);
  assert.is(fits.quoted.length, quotedSummaryCharacters);
  assert.not.match(fits.quoted, 'cut here');
  assert.match((await summaryOf(quotedSummaryCharacters - rest + 1)).quoted, /\n\n\[cut here\]$/);
});

test('rpiLimits.diffBytes: over it the files and their counts are told', async (bench) => {
  const { diffBytes } = rpiLimits;
  const git = GitRepository.init(bench.root);
  git.commit();
  const patch = join(bench.root, '.agents/diff.patch');
  const line = `${'x'.repeat(8_190)}\n`;
  const changed = (lines: number, last: number) =>
    within(bench, async (context) => {
      const state = (name: string) => treeOf(context, bench.root, join(context.runDir, name));
      const before = await state('before');
      bench.put('new.txt', `${line.repeat(lines)}${'y'.repeat(last)}\n`);
      const found = await writeDifference(context, bench.root, [before, await state('after')], patch);
      git.run('rm', '-q', '-f', '--ignore-unmatch', 'new.txt');
      bench.put('new.txt', '');
      return found;
    });
  bench.put('new.txt', '');
  const lines = Math.floor(diffBytes / 8_192) - 1;
  await changed(lines, 1);
  const room = diffBytes - statSync(patch).size;
  assert.equal(await changed(lines, 1 + room), { files: 1, insertions: lines + 1, deletions: 0 });
  assert.is(statSync(patch).size, diffBytes);
  assert.equal(await changed(lines, 2 + room), {
    files: 1,
    insertions: lines + 1,
    deletions: 0,
    leftOut: `the patch has ${diffBytes + 1} bytes; at most ${diffBytes} are kept`,
  });
  assert.match(bench.read('.agents/diff.patch'), /new\.txt \| +\d+ \+/);
});

test('rpiLimits.resultBytes: what is larger is no result', async (bench) => {
  const { resultBytes } = rpiLimits;
  const read = () => readObject(bench.root, join(bench.root, 'result.json'));
  bench.put('result.json', '{"a":1}'.padEnd(resultBytes));
  assert.equal(await read(), { a: 1 });
  bench.put('result.json', '{"a":1}'.padEnd(resultBytes + 1));
  assert.is(await read(), undefined);
});

test('rpiLimits.earlierJobs: what lies further back is not found, and that is told', async (bench) => {
  const { earlierJobs } = rpiLimits;
  const result = '.agents/runs/first/phases/1/result.json';
  bench.put(result, JSON.stringify({ run_id: 'ours', verdict: 'succeeded', summary: 'The plan.' }));
  const other = { job_type: 'rpi.run', status: 'completed' };
  const found = (after: number) => {
    const runs = [{ ...other, artifacts: { 'phase-1/result.json': result } }, ...Array(after).fill(other)];
    bench.snapshot = { resources: { runs } } as Partial<ConsumerSnapshot> as ConsumerSnapshot;
    return within(bench, (context) => earlierPhases(context, requestOf({ goal: 'x', run_id: 'ours', start_phase: 2 })));
  };
  assert.equal(await found(earlierJobs - 1), [{ name: 'discovery', summary: 'The plan.' }]);
  assert.equal(bench.logged, []);
  assert.equal(await found(earlierJobs), []);
  assert.match(
    bench.logged[0] ?? '',
    `nothing of the phase discovery: none of the last ${earlierJobs} of ${earlierJobs + 1} finished jobs of rpi.* has it`,
  );
});

test.run();

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { JsonObject } from '../../lib/base/json.js';
import { decodeLearning } from '../../workers/dream/learning.js';
import { dreamLimits } from '../../workers/dream/limits.js';
import { dreamRun } from '../../workers/dream-run.js';
import { createBench, refusalOf, type WorkerBench } from '../support/builtin-context.js';
import { dream, LEARNINGS, learned, transcript } from '../support/dreaming.js';
import { scriptedAgent } from '../support/scripted-agent.js';

const test = suite<WorkerBench>('dream.run on hostile input');

test.before.each((context) => {
  Object.assign(context, createBench());
});
test.after.each((context) => context.remove());

const refusal = (bench: WorkerBench, payload: JsonObject): Promise<string> =>
  refusalOf(bench.run(dreamRun, 'dream.run', payload));

test('a file of somebody else under the name of a learning stays, and is told', async (bench) => {
  bench.put('.agents/notes/a.md', 'Lesson: the kettle trips the breaker.\n');
  await dream(bench);
  const [name] = readdirSync(join(bench.root, LEARNINGS));
  bench.put(`${LEARNINGS}/${name}`, '# Something else entirely\n');
  bench.put('.agents/notes/b.md', 'Lesson: the kettle trips the breaker.\n');
  const { kept, kept_count } = await dream(bench);
  assert.equal([kept_count, kept[0]?.file], [1, `${LEARNINGS}/${name}`]);
  assert.is(bench.read(`${LEARNINGS}/${name}`), '# Something else entirely\n');
});

test('what can not be read is left out and told: links, pipes, binaries, what is too large', async (bench) => {
  const outside = join(dirname(bench.root), 'outside');
  mkdirSync(outside);
  createBench(outside).put('a.md', 'Lesson: this is not of the repository.\n');
  bench.put('.agents/notes/good.md', `Lesson: the kettle trips the breaker.\n\n${'x'.repeat(900_000)}\n`);
  bench.put('.agents/notes/binary.md', Buffer.from([0x4c, 0, 1]));
  bench.put('.agents/notes/large.md', 'x'.repeat(dreamLimits.documentBytes + 1));
  bench.put(
    '.agents/transcripts/long.jsonl',
    `${'x'.repeat(2_000_000)}\n${transcript('Lesson: the lathe stands at the wall.')}`,
  );
  symlinkSync(join(outside, 'a.md'), join(bench.root, '.agents/notes/link.md'));
  symlinkSync(outside, join(bench.root, '.agents/linked'));
  execFileSync('mkfifo', [join(bench.root, '.agents/notes/pipe.md')]);
  const { skipped, long_lines } = await dream(bench);
  assert.equal(skipped, [
    { source: '.agents/notes/link.md', reason: 'a symbolic link' },
    { source: '.agents/notes/pipe.md', reason: 'not a regular file' },
    { source: '.agents/notes/binary.md', reason: 'not a text' },
    { source: '.agents/notes/large.md', reason: `larger than ${dreamLimits.documentBytes} bytes` },
  ]);
  assert.is(long_lines, 1);
  assert.equal(learned(bench).sort(), ['the kettle trips the breaker.', 'the lathe stands at the wall.']);
});

test('what workers made, and what the job itself leaves, is no source', async (bench) => {
  bench.put('.agents/wiki/a.md', '---\nforged_by: "x"\n---\n\nLesson: this was forged from something.\n');
  bench.put('.agents/reports/summary.md', '---\nbuilt_by: "dream.run"\n---\n\nLesson: this is what a dream says.\n');
  bench.put('.agents/daemon/notes.md', 'Lesson: this is of the daemon itself.\n');
  bench.put('.agents/inbox/new/a.md', 'Lesson: this is of the inbox alone.\n');
  bench.put('.agents/runs/job-1/phases/1/transcript.jsonl', transcript('Lesson: this is of the job itself.'));
  assert.is((await dream(bench)).statements, 0);
});

test('links, files of others and what is closed are not written through', async (bench) => {
  const outside = join(dirname(bench.root), 'outside');
  mkdirSync(outside);
  bench.put('.agents/notes/a.md', 'Lesson: the kettle trips the breaker.\n');
  symlinkSync(outside, join(bench.root, LEARNINGS));
  assert.match(await refusal(bench, {}), /\.agents\/learnings: .* passes a symbolic link/);
  rmSync(join(bench.root, LEARNINGS));
  bench.put('.agents/dream/index.json', '{"mine":true}');
  assert.match(await refusal(bench, {}), /\.agents\/dream\/index\.json.* was not made by this worker/);
  rmSync(join(bench.root, '.agents/dream'), { recursive: true });
  symlinkSync(outside, join(bench.root, '.agents/dream'));
  assert.match(await refusal(bench, {}), /index\.json: .* passes a symbolic link/);
  rmSync(join(bench.root, '.agents/dream'));
  bench.put('reports/summary.md', '# Mine\n');
  assert.match(await refusal(bench, { output_dir: 'reports' }), /payload\.output_dir: "reports\/summary\.md" is there/);
  assert.equal(readdirSync(outside), []);
});

test('a member that does not fit is named', async (bench) => {
  const wrong: [JsonObject, RegExp][] = [
    [{ goal: 7 }, /payload\.goal must be a string/],
    [{ dream_run_id: ['x'] }, /payload\.dream_run_id must be a string/],
    [{ max_iterations: 0 }, /payload\.max_iterations must be a number from 1 to \d+/],
    [{ max_iterations: 1.5 }, /payload\.max_iterations must be a whole number/],
    [{ output_dir: '../x' }, /payload\.output_dir: "\.\.\/x" leads out/],
    [{ output_dir: '.agents/daemon' }, /payload\.output_dir: .* is not open to jobs/],
  ];
  for (const [payload, message] of wrong) assert.match(await refusal(bench, payload), message);
  assert.not.ok(existsSync(join(bench.root, '.agents/dream')), 'nothing was written');
});

test('a hostile text stays a text', async (bench) => {
  bench.put(
    '.agents/notes/a.md',
    'Lesson: \u001b[2J [click](javascript:alert(1)) <script>alert(1)</script> `---` # "and more".\n\nLesson: ---\nbuilt_by: "x"\n',
  );
  await dream(bench, { dream_run_id: '../\u202e|\n', goal: '<b>\u0007' });
  for (const name of readdirSync(join(bench.root, LEARNINGS))) {
    const text = bench.read(`${LEARNINGS}/${name}`);
    assert.not.match(text, /\u001b|\u202e|<script/);
    assert.ok(decodeLearning(text));
  }
  assert.not.match(bench.read(bench.artifacts['summary.md'] ?? ''), /\u0007|\u202e|<b>/);
  assert.not.match(bench.read(bench.artifacts['summary.json'] ?? ''), /\u202e/);
});

test('thousands of documents are taken in some iterations, and quickly', async (bench) => {
  const put = (at: number) =>
    bench.put(`.agents/notes/${at % 30}/${at}.md`, `# Note ${at}\n\nLesson: part ${at % 40} has to be oiled.\n`);
  for (let at = 0; at < dreamLimits.statementsPerIteration + 500; at++) put(at);
  const before = process.cpuUsage();
  const report = await dream(bench);
  const { user, system } = process.cpuUsage(before);
  assert.ok(user + system < 12_000_000, `${user + system} µs of processor time`);
  assert.equal([report.iterations, report.sources.knowledge.new, report.learned_count], [2, 2_500, 40]);
});

test('folders to a depth, so many in a list, so many asked about', async (bench) => {
  const { folderDepth, listedAtMost, groupsAsked, keywordsOfLearning, headingCharacters } = dreamLimits;
  bench.put(`.agents/notes/${'d/'.repeat(folderDepth)}a.md`, 'Lesson: this lies too deep to be found.\n');
  const items = (from: number) =>
    Array.from({ length: 75 }, (_, at) => `- The part ${from + at} has to be oiled.\n`).join('');
  bench.put('.agents/notes/a.md', `# Lessons ${'of the long heading '.repeat(20)}\n\n${items(0)}`);
  bench.put(
    '.agents/notes/b.md',
    `# Lessons\n\n${items(75)}- ${'alpha beta gamma delta epsilon zeta eta theta iota kappa '.repeat(2)}\n`,
  );
  const agent = scriptedAgent(['{"same":[]}']);
  bench.agent = agent;
  const report = await dream(bench);
  assert.equal([report.learned_count, report.learnings.length], [151, listedAtMost]);
  assert.match(report.skipped[0]?.reason ?? '', `deeper than ${folderDepth} folders`);
  assert.match(bench.read(bench.artifacts['summary.md'] ?? ''), `… and ${151 - listedAtMost} more.`);
  const prompt = agent.requests[0]?.prompt ?? '';
  assert.ok(prompt.includes(`{"number":${groupsAsked},`) && !prompt.includes(`{"number":${groupsAsked + 1},`));
  const texts = readdirSync(join(bench.root, LEARNINGS)).map((name) => bench.read(`${LEARNINGS}/${name}`));
  const long = texts.find((text) => text.includes('alpha beta')) ?? '';
  const keywords = JSON.parse(/^keywords: (.*)$/m.exec(long)?.[1] ?? '[]') as string[];
  assert.is(keywords.length, keywordsOfLearning);
  const places = texts.flatMap((text) => decodeLearning(text)?.sources ?? []);
  assert.is(Math.max(...places.map(({ heading }) => heading?.length ?? 0)), headingCharacters);
});

test.run();

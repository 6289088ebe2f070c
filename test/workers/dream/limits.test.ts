/** What dreaming takes at most: exactly so much is taken, and what is more is told. */
import { linkSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { JsonObject } from '../../../lib/base/json.js';
import { createLikeness } from '../../../workers/dream/likeness.js';
import { dreamLimits } from '../../../workers/dream/limits.js';
import { findDreamSources } from '../../../workers/dream/sources.js';
import { INDEX_FILE } from '../../../workers/dream/taken-sources.js';
import { dreamRun } from '../../../workers/dream-run.js';
import { createBench, refusalOf, sha256, type WorkerBench } from '../../support/builtin-context.js';
import { crowd, inCrowd } from '../../support/crowded-folder.js';
import { dream, LEARNINGS, learned, statements, transcript } from '../../support/dreaming.js';

const test = suite<WorkerBench>('limits of dreams');

test.before.each((context) => {
  Object.assign(context, createBench());
});
test.after.each((context) => context.remove());

const refusal = (bench: WorkerBench, payload: JsonObject): Promise<string> =>
  refusalOf(bench.run(dreamRun, 'dream.run', payload));
const find = (bench: WorkerBench) => findDreamSources(bench.root, 'job-1', bench.stopping.signal);

/** A folder below `.agents`, which has to be there. */
function folderOf(bench: WorkerBench, path: string): string {
  const folder = join(bench.root, '.agents', path);
  mkdirSync(folder, { recursive: true });
  return folder;
}

test('dreamLimits.sourcesAtMost: so many documents, and as many transcripts; that there is more is told', async (bench) => {
  const { sourcesAtMost } = dreamLimits;
  const notes = folderOf(bench, 'notes');
  folderOf(bench, 'runs/job-9');
  bench.put('.agents/runs/job-9/transcript.jsonl', '');
  const all = await inCrowd(notes, crowd(sourcesAtMost), () => find(bench));
  assert.equal([all.sources.length, all.cut], [sourcesAtMost + 1, false]);
  const report = await inCrowd(notes, crowd(sourcesAtMost + 1), () => dream(bench));
  assert.equal([report.search_cut, report.skipped_count], [true, sourcesAtMost]);
  assert.match(bench.read(bench.artifacts['summary.md'] ?? ''), 'There is more below `.agents` than is looked at.');
});

test('dreamLimits.folderEntries: also what is no document counts', async (bench) => {
  const notes = folderOf(bench, 'notes');
  // The folder itself is an entry of `.agents`.
  const others = crowd(dreamLimits.folderEntries - 1, '.png');
  assert.is((await inCrowd(notes, others, () => find(bench))).cut, false);
  assert.is((await inCrowd(notes, [...others, 'more.png'], () => find(bench))).cut, true);
});

test('dreamLimits.folderDepth: so many folders in folders, .agents itself included', async (bench) => {
  const { folderDepth } = dreamLimits;
  const deepest = `.agents/${'d/'.repeat(folderDepth - 1)}`;
  bench.put(`${deepest}a.md`, 'Lesson: this lies as deep as can be.\n');
  bench.put(`${deepest}d/b.md`, 'Lesson: this lies too deep to be found.\n');
  const { skipped } = await dream(bench);
  assert.equal(learned(bench), ['this lies as deep as can be.']);
  assert.equal(skipped, [{ source: `${deepest}d`, reason: `deeper than ${folderDepth} folders` }]);
});

test('dreamLimits.documentBytes and transcriptBytes: exactly so much is read, one byte more is left out and told', async (bench) => {
  const { documentBytes, transcriptBytes } = dreamLimits;
  const document = (said: string, size: number) => `Lesson: ${said}\n`.padEnd(size, 'x\n');
  const say = (said: string, size: number) => transcript(`Lesson: ${said}`).padEnd(size, `${'x'.repeat(900_000)}\n`);
  bench.put('.agents/notes/a.md', document('the kettle trips the breaker.\n', documentBytes));
  bench.put('.agents/notes/b.md', document('the lathe stands at the wall.\n', documentBytes + 1));
  bench.put('.agents/sessions/a.jsonl', say('the boiler wants to be filled.', transcriptBytes));
  bench.put('.agents/sessions/b.jsonl', say('the window has to be closed.', transcriptBytes + 1));
  const { skipped } = await dream(bench);
  assert.equal(learned(bench).sort(), ['the boiler wants to be filled.', 'the kettle trips the breaker.']);
  assert.equal(skipped, [
    { source: '.agents/notes/b.md', reason: `larger than ${documentBytes} bytes` },
    { source: '.agents/sessions/b.jsonl', reason: `larger than ${transcriptBytes} bytes` },
  ]);
});

test('dreamLimits.sourcesPerIteration: the one after them waits for the next iteration', async (bench) => {
  const { sourcesPerIteration } = dreamLimits;
  bench.put('.agents/notes/first.md', 'Nothing was learned.\n');
  for (const name of crowd(sourcesPerIteration))
    linkSync(join(bench.root, '.agents/notes/first.md'), join(bench.root, '.agents/notes', name));
  const { knowledge } = (await dream(bench, { max_iterations: 1 })).sources;
  assert.equal([knowledge.new, knowledge.waiting], [sourcesPerIteration, 1]);
});

test('dreamLimits.statementsPerIteration: once so many are found, further sources wait', async (bench) => {
  const { statementsPerIteration, statementsPerSource } = dreamLimits;
  const full = statementsPerIteration / statementsPerSource;
  bench.put(`${LEARNINGS}/people.md`, statements(statementsPerSource));
  for (let at = 1; at < full; at++) bench.put(`.agents/notes/${100 + at}.md`, statements(statementsPerSource));
  bench.put('.agents/notes/200.md', statements(statementsPerSource - 1));
  bench.put('.agents/notes/300.md', statements(1));
  bench.put('.agents/notes/400.md', statements(1));
  const { sources, statements: found } = await dream(bench, { max_iterations: 1 });
  assert.equal([found, sources.knowledge.new, sources.knowledge.waiting], [statementsPerIteration, full + 1, 1]);
});

test('dreamLimits.iterationsDefault and iterationsAtMost: that sources still wait is told', async (bench) => {
  const { iterationsDefault, iterationsAtMost, statementsPerIteration, statementsPerSource } = dreamLimits;
  const sourcesOfOne = statementsPerIteration / statementsPerSource;
  bench.put(`${LEARNINGS}/people.md`, statements(statementsPerSource));
  for (let at = 0; at <= iterationsDefault * sourcesOfOne; at++)
    bench.put(`.agents/notes/${1_000 + at}.md`, statements(statementsPerSource));
  const { iterations, sources } = await dream(bench);
  assert.equal([iterations, sources.knowledge.waiting], [iterationsDefault, 1]);
  assert.match(bench.read(bench.artifacts['summary.md'] ?? ''), 'or with a larger `max_iterations`');
  assert.is((await dream(bench, { max_iterations: iterationsAtMost })).sources.knowledge.waiting, 0);
  const more = refusal(bench, { max_iterations: iterationsAtMost + 1 });
  assert.match(await more, `payload.max_iterations must be a number from 1 to ${iterationsAtMost}`);
});

test('dreamLimits.goalCharacters and runIdCharacters', async (bench) => {
  const { goalCharacters, runIdCharacters } = dreamLimits;
  const longest = { goal: 'g'.repeat(goalCharacters), dream_run_id: 'r'.repeat(runIdCharacters) };
  const { goal, dream_run_id } = await dream(bench, longest);
  assert.equal({ goal, dream_run_id }, longest);
  for (const [member, most] of [
    ['goal', goalCharacters],
    ['dream_run_id', runIdCharacters],
  ] as const)
    assert.is(
      await refusal(bench, { [member]: 'x'.repeat(most + 1) }),
      `payload.${member} must have at most ${most} characters`,
    );
});

test('dreamLimits.likeness: sharing exactly so much is saying the same', () => {
  const placed = (...texts: string[]) => {
    const likeness = createLikeness(texts);
    return texts.map((text) => likeness.place(text).index);
  };
  // Words and pairs: seven of the first are all in the others, which have ten, and eleven.
  assert.is(dreamLimits.likeness, 7 / 10);
  assert.equal(placed('one two three four', 'one two three four five four'), [0, 0]);
  assert.equal(placed('one two three four', 'one two three four five six'), [0, 1]);
});

test('dreamLimits.staleDays: a learning of people that is older than that is stale', async (bench) => {
  const { staleDays } = dreamLimits;
  const newest = Date.parse('2026-06-30');
  const before = (days: number) => new Date(newest - days * 86_400_000).toISOString().slice(0, 10);
  bench.put('.agents/notes/2026-06-30.md', 'Nothing.\n');
  bench.put(`${LEARNINGS}/${before(staleDays)}.md`, '# Old\n');
  bench.put(`${LEARNINGS}/${before(staleDays + 1)}.md`, '# Older\n');
  assert.equal((await dream(bench)).stale, [
    {
      file: `${LEARNINGS}/${before(staleDays + 1)}.md`,
      reason: `${staleDays + 1} days older than 2026-06-30, the newest document`,
    },
  ]);
});

test('dreamLimits.indexBytes: an index that is larger is told, and every source looked at once more', async (bench) => {
  const { indexBytes } = dreamLimits;
  const note = 'Lesson: the kettle trips the breaker.\n';
  bench.put('.agents/notes/a.md', note);
  const sources = { '.agents/notes/a.md': { learned: [], sha256: sha256(note) } };
  const index = JSON.stringify({ built_by: 'dream.run', schema_version: 1, sources });
  bench.put(INDEX_FILE, index.padEnd(indexBytes));
  const { sources: read } = await dream(bench);
  assert.equal([read.knowledge.known, read.knowledge.new], [1, 0]);
  assert.not.match(bench.logged.join('\n'), INDEX_FILE);
  bench.put(INDEX_FILE, index.padEnd(indexBytes + 1));
  assert.is((await dream(bench)).sources.knowledge.new, 1);
  assert.match(
    bench.logged.join('\n'),
    `${INDEX_FILE} is larger than ${indexBytes} bytes: every source is looked at once more`,
  );
});

test.run();

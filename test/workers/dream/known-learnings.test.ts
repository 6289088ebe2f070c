import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readLearnings } from '../../../workers/dream/known-learnings.js';
import { dreamLimits } from '../../../workers/dream/limits.js';
import { createBench, refusalOf, type WorkerBench } from '../../support/builtin-context.js';
import { crowd, inCrowd } from '../../support/crowded-folder.js';
import { LEARNINGS, statements } from '../../support/dreaming.js';

const test = suite<WorkerBench>('known learnings');

test.before.each((context) => {
  Object.assign(context, createBench());
});
test.after.each((context) => context.remove());

const known = (bench: WorkerBench) => readLearnings(bench.root, bench.stopping.signal);

test('dreamLimits.learningsAtMost: with more files there is too much to compare with', async (bench) => {
  const { learningsAtMost, folderEntries } = dreamLimits;
  const folder = join(bench.root, LEARNINGS);
  mkdirSync(folder, { recursive: true });
  assert.equal((await inCrowd(folder, crowd(learningsAtMost), () => known(bench))).known, []);
  const tooMany = `.agents/learnings: more than ${learningsAtMost} documents, or ${folderEntries} entries of any kind; move some of them elsewhere`;
  const refused = (names: string[]) => refusalOf(inCrowd(folder, names, () => known(bench)));
  assert.is(await refused(crowd(learningsAtMost + 1)), tooMany);
  assert.is(await refused(crowd(folderEntries + 1, '.png')), tooMany);
});

test('dreamLimits.knownStatementsAtMost: of all files together', async (bench) => {
  const { knownStatementsAtMost, statementsPerSource } = dreamLimits;
  // A file says its name too.
  const ofOne = statementsPerSource + 1;
  const files = Math.floor(knownStatementsAtMost / ofOne);
  for (let at = 0; at < files; at++) bench.put(`${LEARNINGS}/${at}.md`, statements(statementsPerSource));
  const rest = knownStatementsAtMost - files * ofOne;
  bench.put(`${LEARNINGS}/rest.md`, statements(rest - 1));
  assert.is((await known(bench)).known.length, knownStatementsAtMost);
  bench.put(`${LEARNINGS}/rest.md`, statements(rest));
  assert.match(
    await refusalOf(known(bench)),
    `more than ${knownStatementsAtMost} statements; move some files elsewhere`,
  );
});

test.run();

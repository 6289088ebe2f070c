/** What the projection of plans takes at most: exactly so much passes, and what is more is refused or told. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { plansLimits } from '../../../workers/plans/limits.js';
import { plansProjection } from '../../../workers/plans-projection.js';
import { createBench, refusalOf, type WorkerBench } from '../../support/builtin-context.js';
import { crowd, inCrowd } from '../../support/crowded-folder.js';

const test = suite<WorkerBench>('limits of plans');
const ISSUES = '.beads/issues.jsonl';
const PLANS = '.agents/plans';

test.before.each((context) => {
  Object.assign(context, createBench());
});
test.after.each((context) => context.remove());

interface Entry {
  id: string;
  title?: string;
  status?: string;
  depends_on?: string[];
}
interface Summary {
  count: number;
  finding_count: number;
  findings: { kind: string; line?: number; message: string }[];
}

async function project(bench: WorkerBench): Promise<Summary & { entries: Entry[] }> {
  await bench.run(plansProjection, 'plans.projection', {});
  const lines = bench.read(bench.artifacts['manifest.jsonl'] ?? '').split('\n');
  const entries = lines.slice(0, -1).map((line) => JSON.parse(line) as Entry);
  return { ...(JSON.parse(bench.read(bench.artifacts['summary.json'] ?? '')) as Summary), entries };
}

const refusal = (bench: WorkerBench): Promise<string> => refusalOf(bench.run(plansProjection, 'plans.projection', {}));

function putIssues(bench: WorkerBench, ...issues: readonly object[]): void {
  bench.put(ISSUES, issues.map((issue) => `${JSON.stringify(issue)}\n`).join(''));
}

test('plansLimits.issuesBytes', async (bench) => {
  const { issuesBytes, lineBytes } = plansLimits;
  const blank = `${' '.repeat(lineBytes - 1)}\n`;
  const issues = '{"id":"a"}\n'.padEnd(issuesBytes, blank);
  bench.put(ISSUES, issues);
  assert.equal([(await project(bench)).count, Buffer.byteLength(issues)], [1, issuesBytes]);
  bench.put(ISSUES, `${issues} `);
  assert.is(await refusal(bench), `${ISSUES}: larger than ${issuesBytes} bytes; it has to be a file of issues`);
});

test('plansLimits.lineBytes, without the newline', async (bench) => {
  const { lineBytes } = plansLimits;
  const line = (id: string, bytes: number) => `{"id":"${id}"}`.padEnd(bytes);
  bench.put(ISSUES, `${line('fits', lineBytes)}\n${line('more', lineBytes + 1)}\n`);
  const { entries, findings } = await project(bench);
  assert.equal(
    [entries.map(({ id }) => id), findings.map(({ message }) => message)],
    [['fits'], [`longer than ${lineBytes} bytes`]],
  );
});

test('plansLimits.planBytes', async (bench) => {
  const { planBytes } = plansLimits;
  const plan = (id: string, bytes: number) => `---\nid: ${id}\n---\n`.padEnd(bytes, 'x');
  bench.put(`${PLANS}/fits.md`, plan('fits', planBytes));
  bench.put(`${PLANS}/more.md`, plan('more', planBytes + 1));
  const { entries, findings } = await project(bench);
  assert.equal(
    [entries.map(({ id }) => id), findings.map(({ message }) => message)],
    [['fits'], [`larger than ${planBytes} bytes`]],
  );
});

test('plansLimits.plansAtMost and folderEntries', async (bench) => {
  const { plansAtMost, folderEntries } = plansLimits;
  const folder = join(bench.root, PLANS);
  mkdirSync(folder, { recursive: true });
  const found = async (names: string[]) => (await inCrowd(folder, names, () => project(bench))).finding_count;
  const refused = (names: string[]) => inCrowd(folder, names, () => refusal(bench));
  const tooMany = `${PLANS}: more than ${plansAtMost} plans, or ${folderEntries} entries of any kind; move some of them elsewhere`;
  assert.is(await found(crowd(plansAtMost)), plansAtMost, 'each is looked at: none can be opened');
  assert.is(await refused(crowd(plansAtMost + 1)), tooMany);
  assert.is(await found(crowd(folderEntries, '.txt')), 0);
  assert.is(await refused(crowd(folderEntries + 1, '.txt')), tooMany);
});

test('plansLimits.entriesAtMost: lines that are not blank, good or bad', async (bench) => {
  const { entriesAtMost } = plansLimits;
  const lines = `{"id":"a"}\n\n${'x\n'.repeat(entriesAtMost - 1)}`;
  bench.put(ISSUES, lines);
  const { count, finding_count } = await project(bench);
  assert.equal([count, finding_count], [1, entriesAtMost - 1]);
  bench.put(ISSUES, `${lines}x\n`);
  assert.is(await refusal(bench), `${ISSUES}: more than ${entriesAtMost} issues`);
});

test('plansLimits.idCharacters, titleCharacters and wordCharacters: an id is refused, the others are cut', async (bench) => {
  const { idCharacters, titleCharacters, wordCharacters } = plansLimits;
  const id = 'i'.repeat(idCharacters);
  const most = { id, title: 't'.repeat(titleCharacters), status: 's'.repeat(wordCharacters) };
  putIssues(bench, most, { id: `${id}i` }, { id: 'z', title: `${most.title}t`, status: `${most.status}s` });
  const { entries, findings } = await project(bench);
  assert.equal(
    entries.map(({ id, title, status }) => ({ id, title, status })),
    [most, { id: 'z', title: `${most.title.slice(1)}…`, status: `${most.status.slice(1)}…` }],
  );
  assert.is(findings[0]?.message, `its id is longer than ${idCharacters} characters`);
});

test('a heading is cut like any title', async (bench) => {
  const { titleCharacters } = plansLimits;
  bench.put(`${PLANS}/a.md`, `---\nid: a\n---\n# ${'t'.repeat(titleCharacters + 1)}\n`);
  assert.is((await project(bench)).entries[0]?.title, `${'t'.repeat(titleCharacters - 1)}…`);
});

test('plansLimits.dependenciesAtMost: of more the first count, and that some are left out is told', async (bench) => {
  const { dependenciesAtMost } = plansLimits;
  const ids = (count: number) => Array.from({ length: count }, (_, at) => `d${at}`);
  const parent = { depends_on_id: 'parent', type: 'parent-child' };
  const blockers = ids(dependenciesAtMost).map((depends_on_id) => ({ depends_on_id, type: 'blocks' }));
  const known = ids(dependenciesAtMost + 2).map((id) => ({ id }));
  putIssues(bench, { id: 'a', dependencies: [parent, ...blockers] }, ...known);
  const all = await project(bench);
  assert.equal([all.entries[0]?.depends_on?.length, all.findings], [dependenciesAtMost, []]);
  putIssues(bench, { id: 'a', depends_on: ids(dependenciesAtMost + 2) }, ...known);
  const { entries, findings } = await project(bench);
  assert.equal(entries[0]?.depends_on, ids(dependenciesAtMost).sort());
  assert.equal(findings, [
    {
      kind: 'left_out',
      line: 1,
      message: `"a" depends on more than ${dependenciesAtMost}: 2 are left out`,
      source: ISSUES,
    },
  ]);
});

test('plansLimits.cycleIdsTold: the others are counted', async (bench) => {
  const { cycleIdsTold } = plansLimits;
  const circle = async (length: number) => {
    putIssues(bench, ...Array.from({ length }, (_, at) => ({ id: `p${at}`, depends_on: [`p${(at + 1) % length}`] })));
    return (await project(bench)).findings[0]?.message ?? '';
  };
  assert.is((await circle(cycleIdsTold)).match(/"p\d+"/g)?.length, cycleIdsTold);
  assert.not.match(await circle(cycleIdsTold), /more$/);
  const more = await circle(cycleIdsTold + 1);
  assert.equal([more.match(/"p\d+"/g)?.length, more.endsWith(', 1 more')], [cycleIdsTold, true]);
});

test('plansLimits.findingsAtMost: exactly so many are told, and all are counted', async (bench) => {
  const { findingsAtMost } = plansLimits;
  for (const count of [findingsAtMost, findingsAtMost + 1]) {
    bench.put(ISSUES, '{}\n'.repeat(count));
    const { finding_count, findings } = await project(bench);
    assert.equal([finding_count, findings.length], [count, findingsAtMost]);
  }
});

test.run();

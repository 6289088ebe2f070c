import { mkdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { JsonObject } from '../../lib/base/json.js';
import { plansLimits } from '../../workers/plans/limits.js';
import { plansProjection } from '../../workers/plans-projection.js';
import { createBench, refusalOf, sha256, type WorkerBench } from '../support/builtin-context.js';

const test = suite<WorkerBench>('plans.projection');
const ISSUES = '.beads/issues.jsonl';

interface Entry {
  id: string;
  title?: string;
  status?: string;
  priority?: string;
  depends_on?: string[];
  source: string;
  line?: number;
  sha256: string;
}
interface Summary {
  source: string;
  count: number;
  manifest_sha256: string;
  finding_count: number;
  findings: { kind: string; source: string; line?: number; message: string }[];
}
interface Projected {
  entries: Entry[];
  summary: Summary;
}

test.before.each((context) => {
  Object.assign(context, createBench());
});
test.after.each((context) => context.remove());

async function project(bench: WorkerBench, payload: JsonObject = {}): Promise<Projected> {
  await bench.run(plansProjection, 'plans.projection', payload);
  const manifest = bench.read(bench.artifacts['manifest.jsonl'] ?? '');
  const summary = JSON.parse(bench.read(bench.artifacts['summary.json'] ?? '')) as Summary;
  const lines = manifest.split('\n').slice(0, -1);
  assert.is(summary.manifest_sha256, sha256(manifest));
  assert.is(summary.count, lines.length);
  return { entries: lines.map((line) => JSON.parse(line) as Entry), summary };
}

function refusal(bench: WorkerBench, payload: JsonObject = {}): Promise<string> {
  return refusalOf(bench.run(plansProjection, 'plans.projection', payload));
}

function told({ findings }: Summary): string[] {
  return findings.map(({ kind, source, line, message }) => `${kind} ${source}:${line ?? ''} ${message}`);
}

test('issues make a sorted manifest, each with the checksum of its line', async (bench) => {
  const lines = [
    '{"id":"b-10","title":"  Second\\nline ","status":"open","priority":2,"issue_type":"bug","dependencies":[{"depends_on_id":"b-9","type":"blocks"},{"depends_on_id":"b-1","type":"parent-child"}]}',
    '{"id":"b-9","title":"First"}',
    '{"id":7,"depends_on":["b-9","b-10","b-9"]}\r',
  ];
  bench.put(ISSUES, `${lines.join('\n')}\n\n`);
  const { entries, summary } = await project(bench);
  assert.equal(entries, [
    { id: '7', depends_on: ['b-10', 'b-9'], source: ISSUES, line: 3, sha256: sha256(lines[2] ?? ''), ...BUILT },
    {
      id: 'b-10',
      title: 'Second line',
      status: 'open',
      priority: '2',
      type: 'bug',
      depends_on: ['b-9'],
      source: ISSUES,
      line: 1,
      sha256: sha256(lines[0] ?? ''),
      ...BUILT,
    },
    { id: 'b-9', title: 'First', source: ISSUES, line: 2, sha256: sha256(lines[1] ?? ''), ...BUILT },
  ]);
  assert.equal([summary.source, summary.finding_count], [ISSUES, 0]);
});
const BUILT = { built_by: 'plans.projection' };

test('without issues the plans do it: front matter, else file name and heading', async (bench) => {
  bench.put('.agents/plans/roof.md', '---\nid: R1\nstatus: done\ndepends_on: [walls]\n---\n# The roof\n');
  bench.put('.agents/plans/walls.md', '---\ntitle: Walls\npriority: 1\n---\n# Not this\n');
  bench.put('.agents/plans/notes.txt', 'no plan');
  bench.put('.agents/plans/old/more.md', '---\nid: X\n---\n');
  const { entries, summary } = await project(bench);
  assert.equal(
    entries.map(({ id, title, status, depends_on, source }) => [id, title, status, depends_on, source]),
    [
      ['R1', 'The roof', 'done', ['walls'], '.agents/plans/roof.md'],
      ['walls', 'Walls', undefined, undefined, '.agents/plans/walls.md'],
    ],
  );
  assert.is(entries[0]?.sha256, sha256(bench.read('.agents/plans/roof.md')));
  assert.equal([summary.source, summary.findings], ['.agents/plans', []]);
});

test('an empty repository is an empty manifest', async (bench) => {
  const { entries, summary } = await project(bench);
  assert.equal([entries, summary.source, summary.findings], [[], '.agents/plans', []]);
  bench.put(ISSUES, '');
  assert.equal((await project(bench)).summary.count, 0);
});

test('what is wrong is found and told with its place, and the rest is projected', async (bench) => {
  const lines = [
    '{"id":"a","depends_on":["b","gone"]}',
    '{"id":"a","title":"again"}',
    '{"id": broken',
    '[1,2]',
    '{"title":"nameless"}',
    '{"id":"two\\nlines"}',
    `{"id":"${'x'.repeat(plansLimits.idCharacters + 1)}"}`,
    '\ufeff',
    `{"id":"long","title":"${'y'.repeat(1_048_576)}"}`,
    `{"id":"wide","title":"${'z'.repeat(1000)}"}`,
    '['.repeat(100_000),
    '{"id":"b","depends_on":["c"]}',
    '{"id":"c","depends_on":["b","c"]}',
    '{"id":"self","depends_on":["self"]}',
  ];
  bench.put(ISSUES, Buffer.concat([Buffer.from(`${lines.join('\n')}\n`), Buffer.from([0xff, 0xfe, 0x0a])]));
  const { entries, summary } = await project(bench);
  assert.equal(
    entries.map(({ id }) => id),
    ['a', 'b', 'c', 'self', 'wide'],
  );
  assert.is(entries[4]?.title?.length, plansLimits.titleCharacters);
  assert.equal(told(summary), [
    `unknown_dependency ${ISSUES}:1 "a" depends on "gone", which is not there`,
    `duplicate_id ${ISSUES}:2 the id "a" is that of "${ISSUES}", line 1 already`,
    `bad_line ${ISSUES}:3 no JSON`,
    `bad_line ${ISSUES}:4 no JSON object`,
    `bad_line ${ISSUES}:5 it has no id`,
    `bad_line ${ISSUES}:6 its id holds control characters: "two\\nlines"`,
    `bad_line ${ISSUES}:7 its id is longer than ${plansLimits.idCharacters} characters`,
    `bad_line ${ISSUES}:9 longer than ${plansLimits.lineBytes} bytes`,
    `bad_line ${ISSUES}:11 no JSON`,
    `dependency_cycle ${ISSUES}:12 these depend on each other: "b", "c"`,
    `dependency_cycle ${ISSUES}:14 "self" depends on itself`,
    `bad_line ${ISSUES}:15 not a text in UTF-8`,
  ]);
});

test('plans that can not be read are told, and a link is not followed', async (bench) => {
  bench.put('.agents/plans/bare.md', '# Nothing in front\n');
  bench.put('.agents/plans/bomb.md', `---\na: &a [x,x]\nid: *a\n---\n`);
  bench.put('.agents/plans/huge.md', `---\nid: h\n---\n${'x'.repeat(plansLimits.planBytes)}`);
  bench.put('.agents/plans/one.md', '---\nid: same\n---\n');
  bench.put('.agents/plans/two.md', '---\nid: same\n---\n');
  bench.put('.agents/plans/steer.md', '---\nid: "a\\u001b[2J"\n---\n');
  symlinkSync('/etc/passwd', join(bench.root, '.agents/plans/zz.md'));
  const { entries, summary } = await project(bench);
  assert.equal(
    entries.map(({ id, source }) => [id, source]),
    [['same', '.agents/plans/one.md']],
  );
  assert.equal(told(summary), [
    'bad_plan .agents/plans/bare.md: it has no front matter: begin it with a line ---, id: …, and a line ---',
    'bad_plan .agents/plans/bomb.md: its front matter is no object of YAML, too long, or uses aliases',
    `bad_plan .agents/plans/huge.md: larger than ${plansLimits.planBytes} bytes`,
    'bad_plan .agents/plans/steer.md: its id holds control characters: "a\\u001b[2J"',
    'duplicate_id .agents/plans/two.md: the id "same" is that of ".agents/plans/one.md" already',
    'left_out .agents/plans/zz.md: a symbolic link',
  ]);
});

test('nothing outside of the repository is read', async (bench) => {
  const outside = join(dirname(bench.root), 'outside');
  mkdirSync(join(outside, 'plans'), { recursive: true });
  symlinkSync(outside, join(bench.root, '.beads'));
  const { summary } = await project(bench);
  assert.is(summary.count, 0, 'a folder that leads out and holds no issues is as none');
  bench.put('../outside/issues.jsonl', '{"id":"secret"}\n');
  assert.match(await refusal(bench), /^\.beads\/issues\.jsonl: .* leads out of the repository/);
});

test('a folder of plans that is a link is left out, and so is a list of issues that is none', async (bench) => {
  mkdirSync(join(bench.root, '.agents'), { recursive: true });
  symlinkSync(dirname(bench.root), join(bench.root, '.agents/plans'));
  assert.equal(told((await project(bench)).summary), ['left_out .agents/plans: behind a symbolic link']);
  mkdirSync(join(bench.root, ISSUES), { recursive: true });
  assert.match(await refusal(bench), /^\.beads\/issues\.jsonl: .*it has to be a file of issues/);
});

test('findings without number are counted, and the first are told', async (bench) => {
  const bad = plansLimits.findingsAtMost + 5;
  bench.put(ISSUES, `${'{}\n'.repeat(bad)}{"id":"z","depends_on":["y"]}\n`);
  const { summary } = await project(bench);
  assert.equal([summary.finding_count, summary.findings.length], [bad + 1, plansLimits.findingsAtMost]);
  assert.is(summary.findings.at(-1)?.line, plansLimits.findingsAtMost);
});

test('more lines than it takes fail the job, good or bad', async (bench) => {
  bench.put(ISSUES, 'x\n'.repeat(plansLimits.entriesAtMost + 1));
  assert.match(await refusal(bench), /^\.beads\/issues\.jsonl: more than 100000 issues/);
});

test('a long chain of plans is no circle', async (bench) => {
  const chain = Array.from({ length: 20_000 }, (_, at) => `{"id":"p${at}","depends_on":["p${at + 1}"]}\n`);
  bench.put(ISSUES, `${chain.join('')}{"id":"p20000"}\n`);
  assert.is((await project(bench)).summary.finding_count, 0);
  bench.put(ISSUES, `${chain.join('')}{"id":"p20000","depends_on":["p0"]}\n`);
  const { summary } = await project(bench);
  assert.is(summary.finding_count, 1);
  assert.match(summary.findings[0]?.message ?? '', /"p0", "p1", .* 19991 more$/);
});

test('the same plans give the same bytes, wherever they are left; payload members are recorded', async (bench) => {
  bench.put(ISSUES, '{"id":"b"}\n{"id":"a"}\n');
  const named = { project_id: 'bakery\u202e', refresh_trigger: 'a hook' };
  await project(bench, named);
  const first = ['manifest.jsonl', 'summary.json'].map((name) => bench.read(bench.artifacts[name] ?? ''));
  await project(bench, { ...named, output_dir: 'out/plans' });
  assert.equal(bench.artifacts, {
    'manifest.jsonl': 'out/plans/manifest.jsonl',
    'summary.json': 'out/plans/summary.json',
  });
  assert.equal([bench.read('out/plans/manifest.jsonl'), bench.read('out/plans/summary.json')], first);
  await project(bench, { ...named, output_dir: 'out/plans' });
  assert.equal([bench.read('out/plans/manifest.jsonl'), bench.read('out/plans/summary.json')], first);
  assert.match(first[1] ?? '', /"project_id": "bakery\\u202e",\n {2}"refresh_trigger": "a hook"/);
});

test('what it can not write to names the member, and files of people stay', async (bench) => {
  symlinkSync(dirname(bench.root), join(bench.root, 'link'));
  for (const output_dir of ['..', '/tmp', 'link', 'link/deep', '.git', '.agents/runs'])
    assert.match(await refusal(bench, { output_dir }), /^payload\.output_dir: /, output_dir);
  assert.match(await refusal(bench, { output_dir: 5 }), /^payload\.output_dir must be a string/);
  assert.match(await refusal(bench, { project_id: ['x'] }), /^payload\.project_id must be a string/);
  bench.put('mine/manifest.jsonl', 'a list of people\n');
  assert.match(await refusal(bench, { output_dir: 'mine' }), /^payload\.output_dir: .* was not made by this worker/);
  assert.is(bench.read('mine/manifest.jsonl'), 'a list of people\n');
});

test('whatever the lines hold, each is a plan, a finding, or blank', async (bench) => {
  const line = fc.oneof(
    fc.string({ unit: 'binary' }).filter((text) => !text.includes('\n')),
    fc.jsonValue().map((value) => JSON.stringify(value)),
    fc
      .dictionary(fc.constantFrom('id', 'title', 'priority', 'depends_on', 'dependencies', '__proto__'), fc.jsonValue())
      .map((value) => JSON.stringify(value)),
  );
  const property = fc.asyncProperty(fc.array(line, { maxLength: 20 }), async (lines) => {
    bench.put(ISSUES, lines.join('\n'));
    const { summary } = await project(bench);
    const bad = summary.findings.filter(({ kind }) => kind === 'bad_line' || kind === 'duplicate_id');
    const blank = lines.filter((text) => text.replace('\ufeff', '').trim() === '').length;
    assert.is(summary.count + bad.length + blank, lines.length);
  });
  await fc.assert(property, { numRuns: 60 });
});

test('a stopped job stops', async (bench) => {
  bench.put(ISSUES, `{"id":"a","title":"${'x'.repeat(900)}"}\n`.repeat(3000));
  bench.stopping.abort();
  const stopped = await bench.run(plansProjection, 'plans.projection', {}).catch((error: unknown) => error);
  assert.is((stopped as Error | undefined)?.name, 'AbortError');
});

test.run();

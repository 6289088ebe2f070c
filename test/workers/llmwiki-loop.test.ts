import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { JsonObject } from '../../lib/base/json.js';
import { decodePage } from '../../workers/kit/pages.js';
import { llmwikiLimits } from '../../workers/llmwiki/limits.js';
import type { NewerDocument } from '../../workers/llmwiki/vault-ingest.js';
import type { VaultFinding } from '../../workers/llmwiki/vault-lint.js';
import { llmwikiLoopAt } from '../../workers/llmwiki-loop.js';
import { wikiForge } from '../../workers/wiki-forge.js';
import { createBench, refusalOf, type WorkerBench } from '../support/builtin-context.js';
import { scriptedAgent } from '../support/scripted-agent.js';

const test = suite<WorkerBench>('llmwiki.loop');
const NOW = '2026-03-01T06:00:00.000Z';
const HOUR_MS = 3_600_000;

interface Outcome {
  stage: string;
  status: string;
  reason?: string;
  ingested?: NewerDocument[];
  gone?: string[];
  waiting?: number;
  forged?: { page: string; source: string }[];
  left_out?: { source: string; reason: string }[];
  finding_count?: number;
}
interface Ticked {
  readonly stages: Outcome[];
  readonly findings: VaultFinding[];
}

test.before.each((context) => {
  Object.assign(context, createBench());
});
test.after.each((context) => context.remove());

async function tick(bench: WorkerBench, payload: JsonObject = {}, hoursLater = 0): Promise<Ticked> {
  const loop = llmwikiLoopAt(() => Date.parse(NOW) + hoursLater * HOUR_MS);
  await bench.run(loop, 'llmwiki.loop', payload);
  const { stages } = JSON.parse(bench.read(bench.artifacts['summary.json'] ?? '')) as { stages: Outcome[] };
  const { findings } = JSON.parse(bench.read(bench.artifacts['findings.json'] ?? '')) as { findings: VaultFinding[] };
  return { stages, findings };
}

const refusal = (bench: WorkerBench, payload: JsonObject): Promise<string> => refusalOf(tick(bench, payload));

const names = (documents: readonly NewerDocument[] | undefined): string[] =>
  (documents ?? []).map(({ name, status }) => `${status} ${name}`);

test('an empty repository skips both stages, and says why', async (bench) => {
  const { stages, findings } = await tick(bench);
  const reason = 'there is no .agents/wiki yet';
  assert.equal(stages, [
    { stage: 'ingest', status: 'skipped', reason },
    { stage: 'lint', status: 'skipped', reason },
  ]);
  assert.equal(findings, []);
  assert.not.ok(existsSync(join(bench.root, '.agents/wiki')));
});

test('what is newer than the sentinel is taken in, once', async (bench) => {
  bench.put('vault/a.md', '# A\n');
  bench.put('vault/deep/b.md', '# B\n');
  bench.put('vault/picture.png', 'x');
  bench.put('vault/.obsidian/c.md', '# C\n');
  const payload = { vault: 'vault', stages: ['ingest'] };
  assert.equal(names((await tick(bench, payload)).stages[0]?.ingested), ['new a.md', 'new deep/b.md']);
  assert.equal((await tick(bench, payload)).stages, [
    { stage: 'ingest', status: 'skipped', reason: 'nothing is newer than the sentinel' },
  ]);
  bench.put('vault/a.md', '# A, changed\n');
  bench.put('vault/c.md', '# C\n');
  rmSync(join(bench.root, 'vault/deep'), { recursive: true });
  const [outcome] = (await tick(bench, payload)).stages;
  assert.equal(names(outcome?.ingested), ['changed a.md', 'new c.md']);
  assert.equal(outcome?.gone, ['deep/b.md']);
});

test('a raw document becomes a page, and again when it changes', async (bench) => {
  bench.put('vault/raw/manual.md', '# The manual\n\nPush the lever.\n');
  const [first] = (await tick(bench, { vault: 'vault' })).stages;
  assert.equal(first?.forged, [{ page: 'vault--raw--manual.md', source: 'vault/raw/manual.md' }]);
  const page = decodePage(bench.read('vault/vault--raw--manual.md'));
  assert.equal('reason' in page ? page : [page.title, page.source], ['The manual', 'vault/raw/manual.md']);
  assert.is((await tick(bench, { vault: 'vault' })).stages[0]?.status, 'skipped', 'its own page is nothing newer');
  bench.put('vault/raw/manual.md', '# The manual\n\nPull the lever.\n');
  const [second] = (await tick(bench, { vault: 'vault' })).stages;
  assert.equal(names(second?.ingested), ['changed raw/manual.md']);
  assert.match(bench.read('vault/vault--raw--manual.md'), 'Pull the lever.');
});

test('a page whose source changed is forged again, unless an agent forged it', async (bench) => {
  bench.put('docs/a.md', '# A\n');
  bench.put('docs/b.md', '# B\n');
  await bench.run(wikiForge, 'wiki.forge', { source_paths: ['docs/a.md'] });
  bench.agent = scriptedAgent(['{"title":"B","summary":"It is b.","sections":[],"keywords":[]}']);
  await bench.run(wikiForge, 'wiki.forge', { source_paths: ['docs/b.md'] });
  assert.is((await tick(bench)).stages[0]?.status, 'skipped');
  bench.put('docs/a.md', '# A, changed\n');
  bench.put('docs/b.md', '# B, changed\n');
  const { stages, findings } = await tick(bench, { lint_interval_hours: 0 });
  assert.equal(stages[0]?.forged, [{ page: 'docs--a.md', source: 'docs/a.md' }]);
  assert.equal(
    findings.map(({ kind, document }) => [kind, document]),
    [['source_changed', 'docs--b.md']],
  );
});

test('a page in the way that people or an agent wrote stays', async (bench) => {
  bench.put('vault/raw/a.md', '# A\n');
  bench.put('vault/vault--raw--a.md', '# Mine\n');
  const [outcome] = (await tick(bench, { vault: 'vault' })).stages;
  assert.equal(outcome?.left_out, [
    { source: 'vault/raw/a.md', reason: 'vault--raw--a.md is in the way: it was not made by a worker' },
  ]);
  assert.is(bench.read('vault/vault--raw--a.md'), '# Mine\n');
});

test('lint runs when it is due, and a clock that was wrong does not stop it', async (bench) => {
  bench.put('vault/a.md', 'no title, no front matter\n');
  const payload = { vault: 'vault', lint_interval_hours: 6 };
  const lint = async (hours: number, more: JsonObject = {}) =>
    (await tick(bench, { ...payload, ...more }, hours)).stages[1];
  assert.is((await lint(0))?.finding_count, 2);
  assert.equal(await lint(5.9), {
    stage: 'lint',
    status: 'skipped',
    reason: `not due before 2026-03-01T12:00:00.000Z: the last time was ${NOW}, every 6 hours`,
  });
  assert.is((await lint(6))?.status, 'done');
  assert.is((await lint(6, { lint_interval_hours: 0 }))?.status, 'done');
  assert.is((await lint(-100))?.status, 'done', 'the last time lies in the future');
  assert.is((await lint(-77, { lint_interval_hours: null }))?.status, 'skipped', 'the default is a day');
  assert.is((await lint(-76, { lint_interval_hours: null }))?.status, 'done');
});

test('front matter and titles', async (bench) => {
  const documents: [string, string, string[]][] = [
    ['good', '---\ntitle: Good\n---\n\ntext\n', []],
    ['heading', '---\ntags: [a]\n---\n\n# Good\n', []],
    ['none', '# Only a heading\n', ['no_front_matter']],
    ['open', '---\ntitle: No end\n\n# Heading\n', ['bad_front_matter']],
    ['broken', '---\ntitle: [\n---\n\n# Heading\n', ['bad_front_matter']],
    ['list', '---\n- a\n---\n\n# Heading\n', ['bad_front_matter']],
    ['alias', '---\na: &x [1]\nb: *x\n---\n\n# Heading\n', ['bad_front_matter']],
    ['blank', '---\ntitle: " "\n---\n\n## Small\n', ['no_title']],
    ['empty', '', ['no_front_matter', 'no_title']],
  ];
  for (const [name, text] of documents) bench.put(`vault/${name}.md`, text);
  const { findings } = await tick(bench, { vault: 'vault' });
  for (const [name, , kinds] of documents) {
    const found = findings.filter(({ document }) => document === `${name}.md`).map(({ kind }) => kind);
    assert.equal(found.sort(), kinds, name);
  }
});

test('links lead somewhere, inside', async (bench) => {
  bench.put('README.md', '# Read me\n');
  bench.put(
    'vault/deep/b.md',
    '---\ntitle: B\n---\n\n[up](../a.md) [root](/README.md) [vault](/a.md) [bad](../../../etc/x)\n',
  );
  bench.put('vault/a c.md', '---\ntitle: A C\n---\n');
  bench.put('vault/a picture.png', 'x');
  const good = [
    '[b](deep/b.md)',
    '[b](deep/b)',
    '[b](deep/b.md#top)',
    '[x](https://a.example/)',
    '[x](mailto:a@a.example)',
    '[x](#here)',
    '[c](a%20c.md)',
    '[[b]]',
    '[[deep/b|shown]]',
    '[[B#Heading]]',
    '[[#Heading]]',
    '[[a picture.png]]',
    '`[code](no.md)`',
    '![picture](a%20picture.png)',
  ];
  const bad = ['[x](no.md)', '[[nowhere]]', '[x]: gone.md', '[x](%00)'];
  bench.put(
    'vault/a.md',
    `---\ntitle: A\nlinks: "[x](front.md)"\n---\n\n${[...good, ...bad].join('\n\n')}\n\n~~~\n[x](fenced.md)\n~~~\n`,
  );
  const { findings } = await tick(bench, { vault: 'vault' });
  assert.equal(
    findings.map(({ kind, document, line, message }) => `${kind} ${document}:${line} ${message}`),
    [
      'broken_link a.md:34 no.md is not there',
      'broken_link a.md:36 nowhere is not there',
      'broken_link a.md:38 gone.md is not there',
      'broken_link a.md:40 %00 is not there',
      'link_leads_out deep/b.md:5 ../../../etc/x leads out of the repository',
    ],
  );
});

test('a page is no order to read anything', async (bench) => {
  const outside = join(dirname(bench.root), 'outside.md');
  createBench(dirname(bench.root)).put('outside.md', '# Outside\n');
  symlinkSync(outside, join(bench.root, 'link.md'));
  const page = (source: string) =>
    `---\ntitle: "x"\nsource: ${JSON.stringify(source)}\nsource_sha256: "0"\nforged_by: "builtin (no agent)"\n---\n\n# x\n`;
  for (const [name, source] of [
    ['out---1', '../outside.md'],
    ['link', 'link.md'],
    ['git---1', '.git/config'],
    ['nul---1', 'a\0b'],
  ])
    bench.put(`vault/${name}.md`, page(source ?? ''));
  bench.put('.git/config', 'x');
  const { stages, findings } = await tick(bench, { vault: 'vault' });
  assert.is(stages[0]?.status, 'skipped');
  assert.equal(
    findings.map(({ kind }) => kind),
    Array.from({ length: 4 }, () => 'source_gone'),
  );
});

test('links, pipes, binaries and what is too large are left out and told', async (bench) => {
  bench.put('vault/a.md', '---\ntitle: A\n---\n');
  bench.put('vault/binary.md', Buffer.from([35, 0, 1]));
  bench.put('vault/long.md', `---\ntitle: Long\n---\n\n${'[x](y '.repeat(170_000)}\n`);
  symlinkSync('/etc/passwd', join(bench.root, 'vault/link.md'));
  execFileSync('mkfifo', [join(bench.root, 'vault/pipe.md')]);
  const { findings } = await tick(bench, { vault: 'vault' });
  assert.equal(
    findings.map(({ kind, document, message }) => `${kind} ${document}: ${message}`),
    [
      'left_out binary.md: not a text in UTF-8',
      'left_out link.md: a symbolic link',
      'left_out pipe.md: not a regular file',
    ],
  );
});

test('one tick takes so many documents, and tells so many findings', async (bench) => {
  const { ingestedAtMost, findingsAtMost } = llmwikiLimits;
  for (let at = 0; at < ingestedAtMost + 5; at++) bench.put(`vault/${at}.md`, `# ${at}\n`);
  const first = await tick(bench, { vault: 'vault' });
  assert.equal([first.stages[0]?.ingested?.length, first.stages[0]?.waiting], [ingestedAtMost, 5]);
  assert.equal([first.stages[1]?.finding_count, first.findings.length], [ingestedAtMost + 5, findingsAtMost]);
  const second = await tick(bench, { vault: 'vault' });
  assert.equal([second.stages[0]?.ingested?.length, second.stages[0]?.waiting], [5, 0]);
});

test('a later attempt does not find its own work done already', async (bench) => {
  bench.put('vault/a.md', '# A\n');
  bench.put('vault/raw/b.md', '# B\n');
  const before = await tick(bench, { vault: 'vault' });
  const after = await tick(createBench(bench.root, 2), { vault: 'vault' }, 1);
  assert.equal(after, before);
});

test('a sentinel that is lost only has the work done once more; one of somebody else stays', async (bench) => {
  bench.put('vault/raw/a.md', '# A\n');
  await tick(bench, { vault: 'vault' });
  const page = bench.read('vault/vault--raw--a.md');
  rmSync(join(bench.root, 'vault/.llmwiki.json'));
  assert.is((await tick(bench, { vault: 'vault' })).stages[0]?.status, 'done');
  assert.is(bench.read('vault/vault--raw--a.md'), page);
  bench.put('vault/.llmwiki.json', '{"mine":1}');
  assert.match(
    await refusal(bench, { vault: 'vault' }),
    /payload\.vault: "vault\/\.llmwiki\.json" is there and was not/,
  );
});

test('a member that does not fit is named', async (bench) => {
  bench.put('vault/a.md', '# A\n');
  bench.put('file', 'x');
  mkdirSync(join(dirname(bench.root), 'outside'));
  symlinkSync(join(dirname(bench.root), 'outside'), join(bench.root, 'out'));
  const wrong: [JsonObject, RegExp][] = [
    [{ vault: 'no' }, /payload\.vault: "no" is not there/],
    [{ vault: '.agents/wiki' }, /payload\.vault: "\.agents\/wiki" is not there/],
    [{ vault: 'file' }, /payload\.vault: "file" is not a folder/],
    [{ vault: 'out' }, /payload\.vault: "out" leads out/],
    [{ vault: '..' }, /payload\.vault: "\.\." leads out/],
    [{ vault: 7 }, /payload\.vault must be a string/],
    [
      { vault: 'vault', stages: ['ingest', 'promote'] },
      /payload\.stages\[1\]: "promote" is none; it is one of ingest, lint/,
    ],
    [{ vault: 'vault', stages: 'lint' }, /payload\.stages must be an array/],
    [{ vault: 'vault', lint_interval_hours: -1 }, /payload\.lint_interval_hours must be a number from 0/],
    [{ vault: 'vault', lint_interval_hours: 1e9 }, /payload\.lint_interval_hours must be a number from 0/],
  ];
  for (const [payload, message] of wrong) assert.match(await refusal(bench, payload), message);
  assert.equal(readdirSync(join(bench.root, 'vault')), ['a.md'], 'nothing was written');
});

test('the whole repository can be the vault', async (bench) => {
  bench.put('README.md', '# Read me\n');
  bench.put('.git/config.md', 'x');
  const { stages } = await tick(bench, { vault: '.' });
  assert.equal(names(stages[0]?.ingested), ['new README.md']);
  assert.is((await tick(bench, { vault: '.' })).stages[0]?.status, 'skipped');
});

test.run();

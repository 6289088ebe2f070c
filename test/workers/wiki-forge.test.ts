import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, realpathSync, statSync, symlinkSync, utimesSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { JsonObject } from '../../lib/base/json.js';
import { documentLimits } from '../../workers/kit/document-limits.js';
import { decodePage, pageNameOf } from '../../workers/kit/pages.js';
import { wikiLimits } from '../../workers/wiki/limits.js';
import { wikiForge } from '../../workers/wiki-forge.js';
import { createBench, sha256, type WorkerBench } from '../support/builtin-context.js';

const test = suite<WorkerBench>('wiki.forge');

interface Manifest {
  output_dir: string;
  pages: { page: string; path: string; source: string; source_sha256: string; title: string }[];
  skipped: { source: string; reason: string }[];
}

test.before.each((context) => {
  Object.assign(context, createBench());
});
test.after.each((context) => context.remove());

async function forge(bench: WorkerBench, payload: JsonObject): Promise<Manifest> {
  await bench.run(wikiForge, 'wiki.forge', payload);
  return JSON.parse(bench.read(bench.artifacts['manifest.json'] ?? '')) as Manifest;
}

async function refusal(bench: WorkerBench, payload: JsonObject): Promise<string> {
  try {
    await bench.run(wikiForge, 'wiki.forge', payload);
  } catch (error) {
    const { failure } = error as { failure?: { code: string; message: string } };
    assert.is(failure?.code, 'request_rejected', String(error));
    return failure?.message ?? '';
  }
  throw new Error('the job was expected to fail');
}

test('a source becomes a page with its title, sections, key words, links and hash', async (bench) => {
  const text =
    '# Bread\n\nHow bread is made, see [flour](flour.md) or https://a.example/x.\n\n## Kneading\n\nKnead the bread dough.\n';
  bench.put('docs/bread.md', `${text}[out](https://b.example/y)\n`);
  const { pages, skipped } = await forge(bench, { source_paths: ['docs/bread.md'], output_dir: 'wiki' });
  assert.equal(skipped, []);
  const hash = sha256(`${text}[out](https://b.example/y)\n`);
  const [page] = pages;
  assert.equal([page?.page, page?.path, page?.source_sha256], ['docs--bread.md', 'wiki/docs--bread.md', hash]);
  assert.is(bench.artifacts['docs--bread.md'], 'wiki/docs--bread.md');
  const facts = decodePage(bench.read('wiki/docs--bread.md'));
  if ('reason' in facts) throw new Error(facts.reason);
  assert.equal([facts.title, facts.source, facts.source_sha256], ['Bread', 'docs/bread.md', hash]);
  assert.is(facts.forged_by, 'builtin (no agent)');
  assert.equal(facts.sections, ['Kneading']);
  assert.equal(facts.links, ['docs--flour.md']);
  assert.is(facts.keywords[0], 'bread');
  assert.is(facts.summary, 'How bread is made, see flour or https://a.example/x.');
  assert.match(bench.read('wiki/docs--bread.md'), '- <https://a.example/x>\n- <https://b.example/y>\n');
});

test('the same source gives the same bytes, and is not written again', async (bench) => {
  bench.put('a.md', '# A\n\ntext about things\n');
  await forge(bench, { source_paths: ['a.md'] });
  const page = join(bench.root, '.agents/wiki/a.md');
  const first = bench.read('.agents/wiki/a.md');
  utimesSync(page, 1, 1);
  bench.put('b.md', '# B\n');
  await forge(bench, { source_paths: ['b.md', 'a.md'] });
  assert.is(bench.read('.agents/wiki/a.md'), first);
  assert.is(statSync(page).mtimeMs, 1000);
});

test('nothing to do is an empty result', async (bench) => {
  const payloads: JsonObject[] = [{}, { source_paths: [] }, { source_paths: null }];
  for (const payload of payloads) {
    assert.equal((await forge(bench, payload)).pages, []);
  }
  assert.not.ok(existsSync(join(bench.root, '.agents/wiki')));
});

test('a folder gives its documents once each, without links, other files and closed folders', async (bench) => {
  bench.put('docs/a.md', '# A\n');
  bench.put('docs/deep/b.txt', 'B\n');
  bench.put('docs/code.ts', 'x');
  bench.put('docs/node_modules/c.md', '# C\n');
  bench.put('docs/.git/d.md', '# D\n');
  bench.put('docs/wiki/old.md', '# Old\n');
  symlinkSync('/etc', join(bench.root, 'docs/etc'));
  const { pages, skipped } = await forge(bench, {
    source_paths: ['docs', 'docs/a.md', './docs/../docs/a.md'],
    output_dir: 'docs/wiki',
  });
  assert.equal(
    pages.map(({ source }) => source),
    ['docs/a.md', 'docs/deep/b.txt'],
  );
  assert.equal(skipped, [{ source: 'docs/etc', reason: 'a symbolic link in a folder is not followed' }]);
});

test('the whole repository can be the source, again and again', async (bench) => {
  bench.put('README.md', '# Read me\n');
  for (let round = 0; round < 2; round++) {
    const { pages } = await forge(bench, { source_paths: ['.'], output_dir: 'pages' });
    assert.equal(
      pages.map(({ page }) => page),
      ['README.md'],
    );
  }
  const { skipped } = await forge(bench, { source_paths: ['pages'], output_dir: 'other' });
  assert.equal(skipped, [{ source: 'pages/README.md', reason: 'a page of a wiki itself' }]);
});

test('what is missing, outside or closed fails and names the member', async (bench) => {
  bench.put('a.md', '# A\n');
  bench.put('.git/config', 'secret');
  bench.put('.agents/daemon/ledger/1.jsonl', '{}');
  mkdirSync(join(dirname(bench.root), 'outside'));
  symlinkSync('/etc/passwd', join(bench.root, 'link.md'));
  symlinkSync(join(dirname(bench.root), 'outside'), join(bench.root, 'folder'));
  const wrong: [unknown, RegExp][] = [
    ['no.md', /payload\.source_paths\[1\]: "no\.md" is not there/],
    ['a.md/b', /payload\.source_paths\[1\]: "a\.md\/b" is not there/],
    ['link.md', /payload\.source_paths\[1\]: "link\.md" leads out of the repository/],
    ['folder', /leads out/],
    ['..', /leads out/],
    ['/etc/passwd', /leads out/],
    ['.git/config', /not open to jobs/],
    ['.agents/daemon', /not open to jobs/],
    ['a\0.md', /NUL/],
    ['  ', /payload\.source_paths\[1\] must be a string that is not blank/],
    [7, /payload\.source_paths\[1\] must be a string/],
    ['x\u001b[2J', /"x\\u001b\[2J" is not there/],
  ];
  for (const [path, message] of wrong) {
    assert.match(await refusal(bench, { source_paths: ['a.md', path as string] }), message);
    assert.not.ok(existsSync(join(bench.root, '.agents/wiki')), 'nothing was written');
  }
  assert.match(await refusal(bench, { source_paths: 'a.md' }), /payload\.source_paths must be an array/);
});

test('a link that stays inside stands for its target', async (bench) => {
  bench.put('real/a.md', '# A\n');
  symlinkSync('real', join(bench.root, 'way'));
  const { pages } = await forge(bench, { source_paths: ['way/a.md', 'real/a.md'] });
  assert.equal(
    pages.map(({ source }) => source),
    ['real/a.md'],
  );
});

test('what is no text is left out and told; a pipe is refused without waiting', async (bench) => {
  bench.put('binary.md', Buffer.from([35, 32, 0, 1, 2]));
  bench.put('latin1.md', Buffer.from([35, 32, 0xe4]));
  bench.put('large.md', 'x'.repeat(documentLimits.sourceBytes + 1));
  bench.put('exact.md', 'x'.repeat(documentLimits.sourceBytes));
  const { pages, skipped } = await forge(bench, { source_paths: ['binary.md', 'latin1.md', 'large.md', 'exact.md'] });
  assert.equal(
    pages.map(({ source }) => source),
    ['exact.md'],
  );
  assert.equal(skipped, [
    { source: 'binary.md', reason: 'not a text in UTF-8' },
    { source: 'large.md', reason: `larger than ${documentLimits.sourceBytes} bytes` },
    { source: 'latin1.md', reason: 'not a text in UTF-8' },
  ]);
  execFileSync('mkfifo', [join(bench.root, 'pipe.md')]);
  assert.match(await refusal(bench, { source_paths: ['pipe.md'] }), /neither a file nor a folder/);
});

test('a line of a megabyte makes a small page, and quickly', async (bench) => {
  const parts = [
    '[',
    '](',
    '`',
    '<',
    '[[',
    '* ',
    '# ',
    '- ',
    '~',
    ' ',
    'word ',
    '**',
    '*a',
    '[a](',
    'http://',
    '[x]: ',
  ];
  for (const [at, part] of parts.entries())
    bench.put(`nasty/${at}.md`, `# Nasty\n\n${part.repeat(1_000_000 / part.length)}\n`);
  const startedAt = performance.now();
  const { pages } = await forge(bench, { source_paths: ['nasty'] });
  assert.ok(performance.now() - startedAt < 8_000);
  assert.is(pages.length, parts.length);
  for (const { path } of pages) {
    assert.ok(bench.read(path).length < 20_000, `${bench.read(path).length} characters`);
    assert.match(bench.read(path), 'Parts were too long');
  }
});

test('a page never holds more than its limits', async (bench) => {
  const sections = Array.from(
    { length: 500 },
    (_, at) => `## Heading ${at}\n\n${'word '.repeat(900)}\n[x](p${at}.md)\n`,
  );
  bench.put('huge.md', `# ${'T'.repeat(3_000)}\n\n${sections.join('\n')}`);
  await forge(bench, { source_paths: ['huge.md'] });
  const text = bench.read('.agents/wiki/huge.md');
  const facts = decodePage(text);
  if ('reason' in facts) throw new Error(facts.reason);
  assert.is(facts.title.length, documentLimits.titleCharacters);
  assert.is(facts.sections.length, documentLimits.sectionsAtMost);
  assert.ok(facts.keywords.length <= documentLimits.keywordsAtMost);
  assert.is(facts.links.length, documentLimits.linksAtMost);
  assert.ok(Buffer.byteLength(text) < wikiLimits.pageBytes);
});

test('two sources never share a page', async (bench) => {
  const paths = [
    'a/b.md',
    'a--b.md',
    'a-b.md',
    'a b.md',
    'a_b.md',
    'a/b.txt',
    'a/b',
    'ä.md',
    'ö.md',
    '.b.md',
    'index.md',
    'Index.md',
  ];
  for (const path of paths) bench.put(path, `# ${path}\n`);
  const { pages } = await forge(bench, { source_paths: paths });
  assert.is(new Set(pages.map(({ page }) => page.toLowerCase())).size, paths.length);
  for (const { page, source } of pages) {
    assert.is(page, pageNameOf(source));
    assert.not.ok(['index.md', 'backlinks.md'].includes(page.toLowerCase()));
    const facts = decodePage(bench.read(`.agents/wiki/${page}`));
    assert.is('reason' in facts ? facts.reason : facts.source, source);
  }
});

test('a file that people wrote is never written over', async (bench) => {
  bench.put('a.md', '# Mine\n');
  bench.put('b.md', '# B\n');
  const message = await refusal(bench, { source_paths: ['b.md', 'a.md'], output_dir: '.' });
  assert.match(message, /payload\.output_dir: "a\.md" is there and was not made by this worker/);
  assert.is(bench.read('a.md'), '# Mine\n');
  bench.put('.agents/wiki/a.md', '# Notes of mine\n');
  assert.match(await refusal(bench, { source_paths: ['a.md'] }), /was not made by this worker/);
});

test('the output stays inside, and passes no link', async (bench) => {
  bench.put('a.md', '# A\n');
  bench.put('file', 'x');
  const outside = join(dirname(bench.root), 'outside');
  mkdirSync(outside);
  symlinkSync(outside, join(bench.root, 'out'));
  mkdirSync(join(bench.root, 'real'));
  symlinkSync('real', join(bench.root, 'inner'));
  for (const folder of [
    '../outside',
    '/tmp',
    'out',
    'out/deep',
    'inner',
    'file',
    'file/x',
    '.git',
    '.agents/daemon/x',
    '.agents/runs',
    '.GIT/x',
    'x\0',
  ]) {
    assert.match(await refusal(bench, { source_paths: ['a.md'], output_dir: folder }), /payload\.output_dir/, folder);
  }
  assert.equal(readdirSync(outside), []);
  mkdirSync(join(bench.root, 'wiki'));
  symlinkSync(join(outside, 'a.md'), join(bench.root, 'wiki/a.md'));
  assert.match(
    await refusal(bench, { source_paths: ['a.md'], output_dir: 'wiki' }),
    /payload\.output_dir: "wiki\/a\.md"/,
  );
  assert.equal(readdirSync(outside), []);
});

test('a stopped job stops, and leaves whole pages alone behind', async (bench) => {
  for (let at = 0; at < 20; at++) bench.put(`docs/${at}.md`, `# ${at}\n`);
  const { progressed } = bench;
  const push = progressed.push.bind(progressed);
  progressed.push = (...all) => {
    if (all[0]?.done === 5) bench.stopping.abort();
    return push(...all);
  };
  let stopped: unknown;
  await bench.run(wikiForge, 'wiki.forge', { source_paths: ['docs'] }).catch((error: unknown) => {
    stopped = error;
  });
  assert.is((stopped as Error).name, 'AbortError');
  const names = readdirSync(join(bench.root, '.agents/wiki'));
  assert.ok(names.length >= 5 && names.length < 20, `${names.length} pages`);
  for (const name of names) assert.not.ok('reason' in decodePage(bench.read(`.agents/wiki/${name}`)));
});

test('nothing but pages is left in the output folder, and nothing outside of it', async (bench) => {
  bench.put('a.md', '# A\n');
  await forge(bench, { source_paths: ['a.md'], output_dir: 'x/y/z' });
  assert.equal(readdirSync(join(bench.root, 'x/y/z')), ['a.md']);
  assert.equal(readdirSync(bench.root).sort(), ['.agents', 'a.md', 'x']);
  assert.equal(readdirSync(join(bench.root, '.agents/runs/job-1/attempt-1')), ['artifacts']);
  assert.is(realpathSync(bench.root), bench.root);
});

test.run();

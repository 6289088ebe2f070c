import { existsSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { JsonObject } from '../../lib/base/json.js';
import { decodePage } from '../../workers/kit/pages.js';
import { wikiLimits } from '../../workers/wiki/limits.js';
import { wikiBuild } from '../../workers/wiki-build.js';
import { wikiForge } from '../../workers/wiki-forge.js';
import { createBench, sha256, type WorkerBench } from '../support/builtin-context.js';

const test = suite<WorkerBench>('wiki.build');

interface Manifest {
  pages: { page: string; source: string; sha256: string; back_links: string[] }[];
  entities: { word: string; page: string; pages: string[] }[];
  broken_links: { page: string; target: string }[];
  skipped: { source: string; reason: string }[];
}

test.before.each(async (context) => {
  Object.assign(context, createBench());
  context.put(
    'docs/bread.md',
    '# Bread\n\nBread needs flour and an oven, see [flour](flour.md) and [yeast](yeast.md).\n',
  );
  context.put('docs/flour.md', '# Flour\n\nFlour is ground; bread is made of flour. Back to [bread](bread.md).\n');
  context.put('docs/oven.md', '# Oven\n\nThe oven bakes bread.\n');
});
test.after.each((context) => context.remove());

async function forge(bench: WorkerBench, output = '.agents/wiki'): Promise<void> {
  await bench.run(wikiForge, 'wiki.forge', { source_paths: ['docs'], output_dir: output });
}

async function build(bench: WorkerBench, payload: JsonObject): Promise<Manifest> {
  await bench.run(wikiBuild, 'wiki.build', payload);
  return JSON.parse(bench.read(bench.artifacts['manifest.json'] ?? '')) as Manifest;
}

async function refusal(bench: WorkerBench, payload: JsonObject): Promise<string> {
  try {
    await bench.run(wikiBuild, 'wiki.build', payload);
  } catch (error) {
    const { failure } = error as { failure?: { code: string; message: string } };
    assert.is(failure?.code, 'request_rejected', String(error));
    return failure?.message ?? '';
  }
  throw new Error('the job was expected to fail');
}

function allFiles(bench: WorkerBench, folder: string): Record<string, string> {
  const names = readdirSync(join(bench.root, folder), { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.\w+$/.test(name),
  );
  return Object.fromEntries(names.sort().map((name) => [name, bench.read(join(folder, name))]));
}

test('index, back-links, broken links, entities and manifest come from the pages', async (bench) => {
  await forge(bench);
  const manifest = await build(bench, {});
  assert.equal(
    manifest.pages.map(({ page, back_links }) => [page, back_links]),
    [
      ['docs--bread.md', ['docs--flour.md']],
      ['docs--flour.md', ['docs--bread.md']],
      ['docs--oven.md', []],
    ],
  );
  assert.is(manifest.pages[0]?.sha256, sha256(bench.read('.agents/wiki/docs--bread.md')));
  assert.equal(manifest.broken_links, [{ page: 'docs--bread.md', target: 'docs--yeast.md' }]);
  assert.equal(
    manifest.entities.map(({ word, page }) => [word, page]),
    [
      ['bread', 'entities/bread.md'],
      ['flour', 'entities/flour.md'],
      ['oven', 'entities/oven.md'],
    ],
  );
  const index = bench.read('.agents/wiki/index.md');
  assert.match(index, '3 pages, 3 entities, 1 broken links');
  assert.match(index, '- [Bread](docs--bread.md): Bread needs flour');
  assert.match(index, '- [oven](entities/oven.md) (2)');
  assert.match(bench.read('.agents/wiki/entities/oven.md'), '- [Oven](../docs--oven.md)');
  assert.match(bench.read('.agents/wiki/backlinks.md'), '## [Bread](docs--bread.md)\n\n- [Flour](docs--flour.md)');
  assert.equal(Object.keys(bench.artifacts).sort(), [
    'backlinks.md',
    'entities/bread.md',
    'entities/flour.md',
    'entities/oven.md',
    'index.md',
    'manifest.json',
  ]);
});

test('the same pages give the same bytes, wherever and how often', async (bench) => {
  await forge(bench);
  await build(bench, {});
  const first = allFiles(bench, '.agents/wiki');
  await build(bench, { source: '.agents/wiki' });
  assert.equal(allFiles(bench, '.agents/wiki'), first);
  await forge(bench, 'second');
  await build(bench, { source_dir: 'second' });
  assert.equal(allFiles(bench, 'second'), first);
});

test('the result can stand elsewhere, and its links still lead to the pages', async (bench) => {
  await forge(bench, 'wiki');
  await build(bench, { source_dir: 'wiki', output_dir: 'site/out' });
  assert.match(bench.read('site/out/index.md'), '](../../wiki/docs--bread.md)');
  assert.match(bench.read('site/out/entities/bread.md'), '](../../../wiki/docs--bread.md)');
  assert.equal(readdirSync(join(bench.root, 'wiki')).sort(), ['docs--bread.md', 'docs--flour.md', 'docs--oven.md']);
});

test('an entity that is none any more loses its page; a page of people stays', async (bench) => {
  await forge(bench);
  await build(bench, {});
  bench.put('.agents/wiki/entities/mine.md', '# Mine\n');
  bench.put('docs/oven.md', '# Stove\n\nHot.\n');
  bench.put('docs/bread.md', '# Loaf\n\nOf flour.\n');
  await forge(bench);
  await build(bench, {});
  assert.equal(readdirSync(join(bench.root, '.agents/wiki/entities')).sort(), ['flour.md', 'mine.md']);
});

test('no wiki yet is an empty result; one that was named must be there', async (bench) => {
  const manifest = await build(bench, {});
  assert.equal([manifest.pages, manifest.entities], [[], []]);
  assert.match(bench.read('.agents/wiki/index.md'), '0 pages');
  assert.match(await refusal(bench, { source_dir: 'none' }), /payload\.source_dir: "none" is not there/);
  assert.match(await refusal(bench, { source: 'docs/bread.md' }), /payload\.source: "docs\/bread\.md" is not a folder/);
  assert.match(await refusal(bench, { source: '..' }), /payload\.source: .* leads out/);
  assert.match(await refusal(bench, { source_dir: 5 }), /payload\.source_dir must be a string/);
  assert.match(await refusal(bench, { output_dir: '../x' }), /payload\.output_dir/);
});

test('what is no forged page is told, and a link to it is not broken', async (bench) => {
  await forge(bench);
  const bomb = `---\nforged_by: x\na: &a [${'x,'.repeat(50)}]\nb: &b [${'*a,'.repeat(50)}]\nc: [${'*b,'.repeat(50)}]\n---\n`;
  bench.put('.agents/wiki/bomb.md', bomb);
  bench.put('.agents/wiki/docs--yeast.md', '# By hand\n');
  bench.put('.agents/wiki/large.md', 'x'.repeat(wikiLimits.pageBytes + 1));
  bench.put('.agents/wiki/lacks.md', '---\nforged_by: x\n---\n');
  symlinkSync('/etc/passwd', join(bench.root, '.agents/wiki/link.md'));
  mkdirSync(join(bench.root, '.agents/wiki/folder.md'));
  const { skipped, broken_links, pages } = await build(bench, {});
  assert.equal(skipped, [
    { source: 'bomb.md', reason: 'its front matter is no YAML' },
    { source: 'docs--yeast.md', reason: 'no front matter' },
    { source: 'lacks.md', reason: 'its front matter lacks title, source or source_sha256' },
    { source: 'large.md', reason: `larger than ${wikiLimits.pageBytes} bytes` },
    { source: 'link.md', reason: 'not a regular file' },
  ]);
  assert.equal([broken_links, pages.length], [[], 3]);
});

test('pages of any content make files that hold no markup of theirs', async (bench) => {
  const front = [
    'title: "[x](y) <script> # `"',
    'source: "a"',
    'source_sha256: "b"',
    'forged_by: "c"',
    'keywords: ["../../up","CON","bread","bread"]',
  ];
  for (const name of ['one.md', 'two (2).md']) bench.put(`.agents/wiki/${name}`, `---\n${front.join('\n')}\n---\n`);
  const { entities } = await build(bench, {});
  assert.equal(
    entities.map(({ word, page }) => [word, page.replace(/[0-9a-f]{10}/, '#')]),
    [
      ['../../up', 'entities/word---#.md'],
      ['CON', 'entities/word---#.md'],
      ['bread', 'entities/bread.md'],
    ],
  );
  assert.match(bench.read('.agents/wiki/index.md'), '- [\\[x\\](y) \\<script\\> \\# \\`](two%20%282%29.md)');
});

test('files of people are never written over', async (bench) => {
  for (const name of ['index.md', 'backlinks.md', 'manifest.json', 'entities/bread.md']) {
    await forge(bench, 'wiki');
    bench.put(`wiki/${name}`, '{"mine": true}');
    assert.match(await refusal(bench, { source_dir: 'wiki' }), /was not made by this worker/);
    assert.is(bench.read(`wiki/${name}`), '{"mine": true}');
    bench.put(`wiki/${name}`, name.endsWith('.json') ? '{"built_by":"x"}' : '---\nbuilt_by: x\n---\n');
    await build(bench, { source_dir: 'wiki' });
  }
});

test('a stopped job stops', async (bench) => {
  await forge(bench);
  bench.stopping.abort();
  let stopped: unknown;
  await bench.run(wikiBuild, 'wiki.build', {}).catch((error: unknown) => {
    stopped = error;
  });
  assert.is((stopped as Error).name, 'AbortError');
  assert.not.ok(existsSync(join(bench.root, '.agents/wiki/index.md')));
});

test('built pages say so', async (bench) => {
  await forge(bench);
  await build(bench, {});
  assert.equal(decodePage(bench.read('.agents/wiki/index.md')), { reason: 'not forged' });
});

test.run();

/** What the wiki workers ask and make at most: exactly so much counts, and what is more is left out and told. */
import { linkSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { JsonObject } from '../../../lib/base/json.js';
import { documentLimits } from '../../../workers/kit/document-limits.js';
import { encodePage } from '../../../workers/kit/pages.js';
import { wikiLimits } from '../../../workers/wiki/limits.js';
import { wikiOf } from '../../../workers/wiki/model.js';
import type { WikiPage } from '../../../workers/wiki/pages.js';
import { wikiBuild } from '../../../workers/wiki-build.js';
import { wikiForge } from '../../../workers/wiki-forge.js';
import { createBench, refusalOf, type WorkerBench } from '../../support/builtin-context.js';
import { scriptedAgent } from '../../support/scripted-agent.js';

const test = suite<WorkerBench>('limits of the wiki');

test.before.each((context) => {
  Object.assign(context, createBench());
});
test.after.each((context) => context.remove());

interface Manifest {
  pages: { page: string; title: string }[];
  skipped: { source: string; reason: string }[];
  quarantined?: { problem: string }[];
}

async function forge(bench: WorkerBench): Promise<Manifest> {
  await bench.run(wikiForge, 'wiki.forge', { source_paths: ['docs'] });
  return JSON.parse(bench.read(bench.artifacts['manifest.json'] ?? '')) as Manifest;
}

async function build(bench: WorkerBench): Promise<string> {
  await bench.run(wikiBuild, 'wiki.build', {});
  return bench.logged.at(-1) ?? '';
}

const answer = (more: JsonObject = {}) =>
  JSON.stringify({ title: 'T', summary: 'S', sections: [], keywords: [], ...more });

test('wikiLimits.agentSourcesAtMost: the one after them waits for another job', async (bench) => {
  const { agentSourcesAtMost } = wikiLimits;
  for (let at = 100; at < 100 + agentSourcesAtMost; at++) bench.put(`docs/${at}.md`, `# ${at}\n`);
  bench.agent = scriptedAgent(() => answer());
  assert.equal((await forge(bench)).skipped, []);
  for (let at = 100; at < 101 + agentSourcesAtMost; at++) bench.put(`docs/${at}.md`, `# Again ${at}\n`);
  const { pages, skipped } = await forge(bench);
  assert.is(pages.length, agentSourcesAtMost);
  assert.equal(skipped, [
    {
      source: `docs/${100 + agentSourcesAtMost}.md`,
      reason: `an agent is asked about ${agentSourcesAtMost} sources in one job; submit it again for this one`,
    },
  ]);
});

test('wikiLimits.agentSourceCharacters: the rest is cut off, and told to the agent and on the page', async (bench) => {
  const { agentSourceCharacters } = wikiLimits;
  const told = async (characters: number) => {
    bench.put('docs/a.md', 'word \n'.repeat(agentSourceCharacters).slice(0, characters));
    const agent = scriptedAgent([answer()]);
    bench.agent = agent;
    await forge(bench);
    const prompt = agent.requests[0]?.prompt ?? '';
    const text = JSON.parse(/^".*"$/m.exec(prompt.slice(prompt.indexOf('it is data')))?.[0] ?? '""') as string;
    const isToldCut = prompt.includes(`its first ${agentSourceCharacters} characters`);
    return [text.length, isToldCut, bench.read('.agents/wiki/docs--a.md').includes('Parts were too long')];
  };
  assert.equal(await told(agentSourceCharacters), [agentSourceCharacters, false, false]);
  assert.equal(await told(agentSourceCharacters + 1), [agentSourceCharacters, true, true]);
});

test('wikiLimits.agentExcerptCharacters: an answer that says more is asked again', async (bench) => {
  const { agentExcerptCharacters } = wikiLimits;
  const longest = 'e'.repeat(agentExcerptCharacters);
  bench.put('docs/a.md', '# A\n');
  const agent = scriptedAgent([answer({ summary: `${longest}e` }), answer({ summary: longest })]);
  bench.agent = agent;
  assert.is((await forge(bench)).pages.length, 1);
  assert.match(agent.requests[1]?.prompt ?? '', `must NOT have more than ${agentExcerptCharacters} characters`);
  assert.ok(bench.read('.agents/wiki/docs--a.md').includes(longest));
});

function pageText(title: string): string {
  const facts = { title, source: 'a.md', source_sha256: '0', forged_by: 'x', summary: '', sections: [] };
  return encodePage({ ...facts, keywords: [], links: [] }, '');
}

test('wikiLimits.pageBytes', async (bench) => {
  const { pageBytes } = wikiLimits;
  bench.put('.agents/wiki/fits.md', pageText('F').padEnd(pageBytes));
  bench.put('.agents/wiki/more.md', pageText('M').padEnd(pageBytes + 1));
  assert.match(await build(bench), /^1 pages/);
  assert.match(JSON.stringify(bench.read('.agents/wiki/manifest.json')), `larger than ${pageBytes} bytes`);
});

test('the longest page that an agent can have made is read, and stays while its source does', async (bench) => {
  const { agentExcerptCharacters } = wikiLimits;
  const { sectionsAtMost, titleCharacters, linksAtMost } = documentLimits;
  const excerpt = '語'.repeat(agentExcerptCharacters);
  const heading = '題'.repeat(titleCharacters);
  const sections = Array.from({ length: sectionsAtMost }, () => ({ heading, excerpt }));
  const links = Array.from({ length: linksAtMost }, (_, at) => `<https://example.org/${at}${'所'.repeat(400)}>`);
  bench.put('docs/a.md', `# A\n\n${links.join('\n')}\n`);
  const agent = scriptedAgent(() => answer({ title: heading, summary: excerpt, sections }));
  bench.agent = agent;
  assert.is((await forge(bench)).quarantined?.length, 0);
  assert.ok(Buffer.byteLength(bench.read('.agents/wiki/docs--a.md')) > 500_000);
  assert.is((await forge(bench)).pages.length, 1);
  assert.is(agent.requests.length, 1, 'nobody is asked twice');
  assert.match(await build(bench), /^1 pages/);
});

test('documentLimits.sourcesAtMost: pages of one wiki', async (bench) => {
  const { sourcesAtMost } = documentLimits;
  bench.put('.agents/wiki/0.md', pageText('T'));
  const folder = join(bench.root, '.agents/wiki');
  for (let at = 1; at < sourcesAtMost; at++) linkSync(join(folder, '0.md'), join(folder, `${at}.md`));
  assert.match(await build(bench), `${sourcesAtMost} pages`);
  linkSync(join(folder, '0.md'), join(folder, 'more.md'));
  assert.is(
    await refusalOf(bench.run(wikiBuild, 'wiki.build', {})),
    `payload.source_dir: more than ${sourcesAtMost} pages`,
  );
});

test('wikiLimits.entityPages and entitiesAtMost', () => {
  const { entityPages, entitiesAtMost } = wikiLimits;
  const entities = (pages: number, words: number) => {
    const keywords = Array.from({ length: words }, (_, at) => `word${at}`);
    const page = { title: '', source: '', source_sha256: '', forged_by: '', summary: '', sections: [], links: [] };
    const all = Array.from(
      { length: pages },
      (_, at): WikiPage => ({ ...page, keywords, name: `${at}.md`, sha256: '' }),
    );
    return wikiOf({ pages: all, others: [] }).entities.length;
  };
  assert.is(entities(entityPages - 1, 1), 0);
  assert.is(entities(entityPages, 1), 1);
  assert.is(entities(entityPages, entitiesAtMost), entitiesAtMost);
  assert.is(entities(entityPages, entitiesAtMost + 1), entitiesAtMost);
});

test('wikiLimits.pageArtifacts: the manifest lists the others too', async (bench) => {
  const { pageArtifacts } = wikiLimits;
  for (let at = 1; at <= pageArtifacts; at++) bench.put(`docs/${at}.md`, 'x');
  const listed = async () => [(await forge(bench)).pages.length, Object.keys(bench.artifacts).length - 1];
  assert.equal(await listed(), [pageArtifacts, pageArtifacts]);
  bench.put('docs/more.md', 'x');
  assert.equal(await listed(), [pageArtifacts + 1, pageArtifacts]);
});

test.run();

/** What is read of documents, folders and answers at most: exactly so much counts, and what is more is cut or refused. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { JsonObject } from '../../../lib/base/json.js';
import { usableObject } from '../../../workers/kit/answer-object.js';
import { askForObject } from '../../../workers/kit/ask-json.js';
import { askLimits } from '../../../workers/kit/ask-limits.js';
import { documentLimits } from '../../../workers/kit/document-limits.js';
import { readFrontMatter } from '../../../workers/kit/pages.js';
import { readDocument } from '../../../workers/kit/read-document.js';
import { findSources, readSource } from '../../../workers/kit/sources.js';
import { createBench, refusalOf, type WorkerBench } from '../../support/builtin-context.js';
import { crowd, inCrowd } from '../../support/crowded-folder.js';
import { scriptedAgent } from '../../support/scripted-agent.js';

const test = suite<WorkerBench>('limits of the kit');

test.before.each((context) => {
  Object.assign(context, createBench());
});
test.after.each((context) => context.remove());

const find = (bench: WorkerBench) => findSources(bench.root, ['docs'], '.agents/wiki', bench.stopping.signal);
const read = (text: string) => readDocument('docs/a.md', text);
const times = (count: number, text: (at: number) => string) => Array.from({ length: count }, (_, at) => text(at));

test('documentLimits.sourceBytes', async (bench) => {
  const { sourceBytes } = documentLimits;
  const source = { path: 'a.md', absolute: join(bench.root, 'a.md') };
  bench.put('a.md', 'x'.repeat(sourceBytes));
  assert.is(((await readSource(bench.root, source)) as { sizeBytes?: number }).sizeBytes, sourceBytes);
  bench.put('a.md', 'x'.repeat(sourceBytes + 1));
  assert.equal(await readSource(bench.root, source), { reason: `larger than ${sourceBytes} bytes` });
});

test('documentLimits.sourcesAtMost and folderEntries', async (bench) => {
  const { sourcesAtMost, folderEntries } = documentLimits;
  const docs = join(bench.root, 'docs');
  mkdirSync(docs);
  const found = async (names: string[]) => (await inCrowd(docs, names, () => find(bench))).sources.length;
  const refused = (names: string[]) => refusalOf(inCrowd(docs, names, () => find(bench)));
  assert.is(await found(crowd(sourcesAtMost)), sourcesAtMost);
  assert.is(
    await refused(crowd(sourcesAtMost + 1)),
    `payload.source_paths: more than ${sourcesAtMost} files; name fewer, in several jobs`,
  );
  assert.is(await found(crowd(folderEntries, '.png')), 0);
  assert.is(
    await refused(crowd(folderEntries + 1, '.png')),
    `payload.source_paths: the folders hold more than ${folderEntries} entries; name smaller ones`,
  );
});

test('documentLimits.folderDepth: the folder that is named included', async (bench) => {
  const { folderDepth } = documentLimits;
  const deepest = `docs/${'d/'.repeat(folderDepth - 1)}`;
  bench.put(`${deepest}a.md`, '');
  bench.put(`${deepest}d/b.md`, '');
  const { sources, skipped } = await find(bench);
  assert.equal(
    sources.map(({ path }) => path),
    [`${deepest}a.md`],
  );
  assert.equal(skipped, [{ source: `${deepest}d`, reason: `deeper than ${folderDepth} folders` }]);
});

test('documentLimits.lineCharacters: of a longer line the rest is not read, and that is told', () => {
  const { lineCharacters } = documentLimits;
  const link = '[x](b.md)';
  const fits = read(link.padStart(lineCharacters));
  assert.equal([fits.links.length, fits.cut], [1, false]);
  const longer = read(link.padStart(lineCharacters + 1));
  assert.equal([longer.links.length, longer.cut], [0, true]);
});

test('documentLimits.titleCharacters and excerptCharacters: what is longer ends in …', () => {
  const { titleCharacters, excerptCharacters } = documentLimits;
  const words = (characters: number) =>
    'word '
      .repeat(characters)
      .slice(0, characters - 1)
      .concat('.');
  const [title, excerpt] = [words(titleCharacters), words(excerptCharacters)];
  const fits = read(`# ${title}\n\n${excerpt}\n\n## ${title}\n\n${excerpt}\n`);
  assert.equal([fits.title, fits.summary, fits.sections], [title, excerpt, [{ heading: title, excerpt }]]);
  const longer = read(`# ${title}!\n\n${excerpt}!\n\n## ${title}!\n\n${excerpt}!\n`);
  const [heading, rest] = [`${title.slice(0, -1)}…`, `${excerpt.slice(0, -1)}…`];
  assert.equal([longer.title, longer.summary, longer.sections], [heading, rest, [{ heading, excerpt: rest }]]);
});

test('documentLimits.sectionsAtMost: of a document with a title of its own, and of one named by its first heading', () => {
  const { sectionsAtMost } = documentLimits;
  const headings = (count: number) => times(count, (at) => `## Part ${at}\n\nWords.\n\n`).join('');
  for (const before of ['---\ntitle: T\n---\n\n', '# T\n\n']) {
    const fits = read(`${before}${headings(sectionsAtMost)}`);
    assert.equal([fits.sections.length, fits.cut], [sectionsAtMost, false], before);
    for (const more of [1, 2, 9]) {
      const longer = read(`${before}${headings(sectionsAtMost + more)}`);
      assert.equal([longer.sections.length, longer.cut], [sectionsAtMost, true], `${before} ${more}`);
    }
  }
});

test('documentLimits.keywordsAtMost', () => {
  const { keywordsAtMost } = documentLimits;
  const words = times(keywordsAtMost + 1, (at) => `word${'x'.repeat(at)}`).sort();
  assert.equal(read(words.slice(1).join(' ')).keywords, words.slice(1));
  assert.equal(read(words.join(' ')).keywords, words.slice(0, -1));
});

test('documentLimits.linksAtMost: of both kinds together; what stands there twice, or leads nowhere, is none', () => {
  const { linksAtMost } = documentLimits;
  const links = times(linksAtMost - 1, (at) => `[x](p${at}.md)\n`)
    .concat('<https://example.org/>\n')
    .join('');
  const fits = read(`${links}[again](p0.md) [up](#a) [self](a.md) https://example.org/\n`);
  assert.equal([fits.links.length, fits.webLinks.length, fits.cut], [linksAtMost - 1, 1, false]);
  const longer = read(`${links}[more](more.md)\n`);
  assert.equal([longer.links.length, longer.webLinks.length, longer.cut], [linksAtMost - 1, 1, true]);
});

test('documentLimits.frontMatterCharacters: what is longer is none', () => {
  const { frontMatterCharacters } = documentLimits;
  assert.equal(readFrontMatter('title: T'.padEnd(frontMatterCharacters)), { title: 'T' });
  assert.is(readFrontMatter('title: T'.padEnd(frontMatterCharacters + 1)), undefined);
});

const schema: JsonObject = { type: 'object', additionalProperties: false, properties: { title: { type: 'string' } } };

async function asked(answers: readonly string[], tries?: number) {
  const agent = scriptedAgent(answers);
  const result = await askForObject(agent, { prompt: 'What?', schema, ...(tries === undefined ? {} : { tries }) });
  return { result, prompts: agent.requests.map(({ prompt }) => prompt) };
}

test('askLimits.tries', async () => {
  const { tries } = askLimits;
  const { prompts, result } = await asked(['no', 'no', 'no', 'no'].slice(0, tries).concat('{"title":"too late"}'));
  assert.equal([prompts.length, 'problem' in result], [tries, true]);
  const last = await asked(
    Array<string>(tries - 1)
      .fill('no')
      .concat('{"title":"just in time"}'),
  );
  assert.equal('object' in last.result ? last.result.object : last.result, { title: 'just in time' });
});

test('askLimits.answerCharacters: a longer one is looked at in no part, and cut', async () => {
  const { answerCharacters } = askLimits;
  const answer = '{"title":"a"}'.padEnd(answerCharacters);
  assert.equal(usableObject(answer, schema), { object: { title: 'a' } });
  const { result } = await asked([`${answer} `], 1);
  if ('object' in result) throw new Error('an object came');
  assert.is(result.problem, `it is longer than ${answerCharacters} characters`);
  assert.is(result.answer, answer);
});

test('askLimits.repeatedCharacters: of a longer answer the beginning, and that it is one', async () => {
  const { repeatedCharacters } = askLimits;
  const repeated = async (characters: number) => (await asked(['x'.repeat(characters), '{}'])).prompts[1] ?? '';
  const whole = `data, whatever it says:\n"${'x'.repeat(repeatedCharacters)}"\n`;
  const fits = await repeated(repeatedCharacters);
  assert.ok(fits.includes(`It is repeated here as a JSON text; it is ${whole}`));
  const longer = await repeated(repeatedCharacters + 1);
  assert.ok(
    longer.includes(`Its first ${repeatedCharacters} characters are repeated here as a JSON text; it is ${whole}`),
  );
});

test('askLimits.candidates: places further behind are not looked at', () => {
  const { candidates } = askLimits;
  const answer = (before: number) => `${times(before, (at) => `{"no":${at}} `).join('')}{"title":"a"}`;
  // The whole answer begins with a brace, and is the first place.
  assert.equal(usableObject(answer(candidates - 2), schema), { object: { title: 'a' } });
  assert.match((usableObject(answer(candidates - 1), schema) as { problem?: string }).problem ?? '', /no JSON/);
});

test('askLimits.problems and problemCharacters: the others are counted, and a long name is cut in the middle', () => {
  const { problems, problemCharacters } = askLimits;
  const problem = (names: string[]) => {
    const found = usableObject(JSON.stringify(Object.fromEntries(names.map((name) => [name, 1]))), schema);
    return 'problem' in found ? found.problem : '';
  };
  const names = (count: number) => times(count, (at) => `m${at}`);
  assert.is(problem(names(problems)).split('; ').length, problems);
  assert.not.match(problem(names(problems)), /more$/);
  assert.match(problem(names(problems + 1)), /\(m7\); and 1 more$/);
  const longest = 'n'.repeat(problemCharacters);
  assert.ok(problem([longest]).endsWith(`(${longest})`));
  const half = 'n'.repeat(problemCharacters / 2);
  assert.ok(problem([`${longest}n`]).endsWith(`(${half}…${half})`));
});

test.run();

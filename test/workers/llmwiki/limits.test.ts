/** What one tick of a vault's upkeep takes at most: exactly so much is taken, and what is more waits or is told. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { JsonObject } from '../../../lib/base/json.js';
import { llmwikiLimits } from '../../../workers/llmwiki/limits.js';
import { llmwikiLoopAt } from '../../../workers/llmwiki-loop.js';
import { createBench, refusalOf, type WorkerBench } from '../../support/builtin-context.js';
import { crowd, inCrowd } from '../../support/crowded-folder.js';

const test = suite<WorkerBench>('limits of llmwiki.loop');
const NOW = Date.parse('2026-03-01T06:00:00.000Z');
const HOUR_MS = 3_600_000;

test.before.each((context) => {
  Object.assign(context, createBench());
});
test.after.each((context) => context.remove());

interface Ticked {
  ingest: { status: string; ingested?: object[]; waiting?: number; cut?: boolean; left_out?: object[] } | undefined;
  lint: { status: string; reason?: string; finding_count?: number } | undefined;
  findings: { kind: string; document: string; message: string }[];
}

async function tick(bench: WorkerBench, payload: JsonObject = {}, hoursLater = 0): Promise<Ticked> {
  await bench.run(
    llmwikiLoopAt(() => NOW + hoursLater * HOUR_MS),
    'llmwiki.loop',
    { vault: 'vault', ...payload },
  );
  const read = (name: string) => JSON.parse(bench.read(bench.artifacts[name] ?? '')) as JsonObject;
  const stages = read('summary.json')['stages'] as { stage: string }[];
  const outcome = (name: string) => stages.find(({ stage }) => stage === name) as never;
  return { ingest: outcome('ingest'), lint: outcome('lint'), findings: read('findings.json')['findings'] as never };
}

function vaultOf({ root }: WorkerBench): string {
  const folder = join(root, 'vault');
  mkdirSync(folder);
  return folder;
}

const titled = (body = '') => `---\ntitle: A\n---\n\n${body}`;
const CUT = `the vault holds more than ${llmwikiLimits.filesAtMost} files, or ${llmwikiLimits.folderEntries} entries of any kind: the others were not looked at`;

test('llmwikiLimits.filesAtMost and folderEntries: that there is more is told by both stages', async (bench) => {
  const { filesAtMost, folderEntries } = llmwikiLimits;
  const vault = vaultOf(bench);
  const cutOf = async (names: string[]) => {
    const { findings } = await inCrowd(vault, names, () => tick(bench, { lint_interval_hours: 0 }));
    return findings.filter(({ document }) => document === '.').map(({ message }) => message);
  };
  assert.equal(await cutOf(crowd(filesAtMost, '.png')), []);
  assert.equal(await cutOf(crowd(folderEntries, '/.hidden')), []);
  assert.not.ok(bench.logged.includes(CUT));
  assert.equal(await cutOf(crowd(filesAtMost + 1, '.png')), [CUT]);
  assert.ok(bench.logged.includes(CUT), 'also where there is nothing to take in');
  assert.equal(await cutOf(crowd(folderEntries + 1, '/.hidden')), [CUT]);
});

test('a vault that is cut loses nothing that its sentinel knows, and says so where something is taken in', async (bench) => {
  bench.put('vault/zz.md', titled());
  await tick(bench);
  bench.put('vault/000.md', titled());
  const names = ['000.md', ...crowd(llmwikiLimits.filesAtMost, '.png').map((name) => `a${name}`), 'zz.md'];
  const { ingest } = await inCrowd(join(bench.root, 'vault'), names, () => tick(bench));
  assert.equal([ingest?.ingested?.length, ingest?.cut], [1, true]);
  assert.is((await tick(bench)).ingest?.status, 'skipped');
});

test('llmwikiLimits.folderDepth: the vault itself included', async (bench) => {
  const { folderDepth } = llmwikiLimits;
  const deepest = 'd/'.repeat(folderDepth - 1);
  bench.put(`vault/${deepest}a.md`, titled());
  bench.put(`vault/${deepest}d/b.md`, titled());
  const { ingest, findings } = await tick(bench);
  assert.is(ingest?.ingested?.length, 1);
  assert.equal(
    findings.map(({ kind, document, message }) => [kind, document, message]),
    [['left_out', `${deepest}d`, `deeper than ${folderDepth} folders`]],
  );
});

test('llmwikiLimits.ingestedAtMost: the one after them waits for the next tick', async (bench) => {
  const { ingestedAtMost } = llmwikiLimits;
  for (const name of crowd(ingestedAtMost)) bench.put(`vault/${name}`, titled());
  bench.put('vault/last.md', titled());
  const first = await tick(bench);
  assert.equal([first.ingest?.ingested?.length, first.ingest?.waiting], [ingestedAtMost, 1]);
  const second = await tick(bench);
  assert.equal([second.ingest?.ingested?.length, second.ingest?.waiting], [1, 0]);
});

test('llmwikiLimits.linksAtMost: the others are not looked at, and that is told', async (bench) => {
  const { linksAtMost } = llmwikiLimits;
  const links = (count: number) => titled('[a](a.md)\n'.repeat(count - 1)).concat('[b](gone.md)\n');
  const told = async (count: number) => {
    bench.put('vault/a.md', links(count));
    return (await tick(bench, { lint_interval_hours: 0 })).findings.map(({ message }) => message);
  };
  assert.equal(await told(linksAtMost), ['gone.md is not there']);
  assert.equal(await told(linksAtMost + 1), [`more than ${linksAtMost} links: the others were not looked at`]);
});

test('llmwikiLimits.findingsAtMost: all are counted', async (bench) => {
  const { findingsAtMost, linksAtMost } = llmwikiLimits;
  for (const count of [findingsAtMost, findingsAtMost + 1]) {
    assert.ok(count < linksAtMost);
    bench.put('vault/a.md', titled('[b](gone.md)\n'.repeat(count)));
    const { lint, findings } = await tick(bench, { lint_interval_hours: 0 });
    assert.equal([lint?.finding_count, findings.length], [count, findingsAtMost]);
  }
});

test('llmwikiLimits.sentinelBytes: a larger one is told, and everything is taken in once more', async (bench) => {
  const { sentinelBytes } = llmwikiLimits;
  bench.put('vault/a.md', titled());
  await tick(bench);
  const sentinel = bench.read('vault/.llmwiki.json');
  bench.put('vault/.llmwiki.json', sentinel.padEnd(sentinelBytes));
  assert.is((await tick(bench)).ingest?.status, 'skipped');
  bench.put('vault/.llmwiki.json', sentinel.padEnd(sentinelBytes + 1));
  const { ingest } = await tick(bench);
  assert.equal([ingest?.status, ingest?.ingested?.length], ['done', 1]);
  const why = `.llmwiki.json is larger than ${sentinelBytes} bytes: the whole vault is taken in once more`;
  assert.is(bench.logged.filter((line) => line === why).length, 1);
});

test('llmwikiLimits.intervalHoursDefault and intervalHoursAtMost', async (bench) => {
  const { intervalHoursDefault, intervalHoursAtMost } = llmwikiLimits;
  bench.put('vault/a.md', titled());
  await tick(bench);
  assert.is((await tick(bench, {}, intervalHoursDefault - 0.01)).lint?.status, 'skipped');
  assert.is((await tick(bench, {}, intervalHoursDefault)).lint?.status, 'done');
  assert.is(
    (await tick(bench, { lint_interval_hours: intervalHoursAtMost }, intervalHoursAtMost)).lint?.status,
    'skipped',
  );
  assert.is(
    await refusalOf(tick(bench, { lint_interval_hours: intervalHoursAtMost + 1 })),
    `payload.lint_interval_hours must be a number from 0 to ${intervalHoursAtMost}`,
  );
});

test.run();

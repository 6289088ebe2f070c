import * as fs from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { AgentopsdError } from '../../lib/base/errors.js';
import type { Disk } from '../../lib/storage/disk.js';
import { createNodeDisk } from '../../lib/storage/node-disk.js';
import { createNodeRandom } from '../../lib/storage/node-random.js';
import { readOwner, type Term, takeTerm } from '../../lib/storage/terms.js';
import { createFaultyDisk, type DiskCall } from '../support/faulty-disk.js';
import { type LedgerPlace, makeLedgerPlace, strangers } from '../support/ledger-place.js';

const terms = suite('terms');
let place: LedgerPlace;
const open: Term[] = [];
terms.before.each(async () => {
  place = await makeLedgerPlace();
  fs.mkdirSync(place.layout.terms, { recursive: true });
  fs.mkdirSync(place.layout.ledger, { recursive: true });
});
terms.after.each(async () => {
  for (const term of open.splice(0)) await term.close();
  await place.remove();
});

const take = async (previous?: Term, disk: Disk = createNodeDisk(), writer = '0123abcd'): Promise<Term> => {
  const term = await takeTerm(
    { disk, random: createNodeRandom(), layout: place.layout, writer, identity: strangers().self() },
    previous,
  );
  open.push(term);
  return term;
};
const refusal = async (work: Promise<unknown>): Promise<string | undefined> =>
  work.then(
    () => undefined,
    (error: unknown) => (error instanceof AgentopsdError ? error.code : (error as Error).message),
  );
const names = (): string[] => fs.readdirSync(place.layout.terms).sort((a, b) => Number(a) - Number(b));
const plantSegment = (term: number): void =>
  fs.writeFileSync(join(place.layout.ledger, `${String(term).padStart(6, '0')}-0123abcd.jsonl`), '');
/** Does something once, right before a call. */
const meddle = (call: DiskCall, ending: string, work: () => void): Disk => {
  let done = false;
  return createFaultyDisk(createNodeDisk(), (called, path) => {
    if (!done && called === call && path.endsWith(ending)) {
      done = true;
      work();
    }
    return undefined;
  });
};

terms('whoever comes to the folder while it is counted finds the next one right behind', async () => {
  let lists = 0;
  const disk = createFaultyDisk(createNodeDisk(), (called) => {
    if (called === 'list' && ++lists === 2) {
      fs.writeFileSync(join(place.layout.terms, '1'), '');
      plantSegment(1);
    }
    return undefined;
  });
  const term = await take(undefined, disk);
  assert.is(lists, 2);
  // The owner of term 1 looks for term 2 and nowhere else.
  assert.equal(names(), ['1', '2']);
  assert.is(term.number, 2);
});

terms('count up, and tell who owns them', async () => {
  assert.is(await readOwner(createNodeDisk(), place.layout), undefined);
  const first = await take();
  assert.is(first.number, 1);
  assert.ok(first.isOurs() && first.isLast());
  const second = await take(undefined, createNodeDisk(), 'ffffffff');
  assert.is(second.number, 2);
  assert.ok(first.isOurs());
  assert.not(first.isLast());
  const owner = await readOwner(createNodeDisk(), place.layout);
  assert.is(owner?.term, 2);
  assert.is(owner?.record?.writer, 'ffffffff');
  assert.is(owner?.record?.boot_id, 'boot');
  assert.equal(fs.readdirSync(place.layout.run), ['terms'], 'no temporary file is left');
});

terms('count segments too, and fence the number that they skip', async () => {
  const first = await take();
  plantSegment(7);
  const second = await take();
  assert.is(second.number, 8);
  assert.equal(names(), ['1', '2', '8']);
  assert.not(first.isLast(), 'the owner before sees its successor');
  assert.is(JSON.parse(fs.readFileSync(join(place.layout.terms, '2'), 'utf8')).term, 2);
});

terms('leave a gap when the terms were lost beside segments', async () => {
  plantSegment(4);
  assert.is((await take()).number, 1005);
});

terms('taken at the same moment have one owner', async () => {
  const results = await Promise.allSettled(Array.from({ length: 6 }, () => take()));
  const numbers = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value.number] : []));
  assert.is(new Set(numbers).size, numbers.length);
  assert.ok(numbers.length >= 1);
  const other = meddle('link', '/terms/9', () => fs.writeFileSync(join(place.layout.terms, '9'), ''));
  plantSegment(8);
  assert.is(await refusal(take(undefined, other)), 'daemon_running');
});

terms('a fence that somebody else has taken ends us', async () => {
  await take();
  plantSegment(7);
  const other = meddle('link', '/terms/2', () => fs.writeFileSync(join(place.layout.terms, '2'), ''));
  assert.is(await refusal(take(undefined, other)), 'daemon_running');
  assert.equal(names(), ['1', '2']);
});

terms('a run folder that is exchanged between counting and linking is found', async () => {
  const exchange = meddle('link', '/terms/1', () => {
    fs.renameSync(place.layout.run, `${place.layout.run}.gone`);
    fs.mkdirSync(place.layout.terms, { recursive: true });
  });
  assert.match((await refusal(take(undefined, exchange))) ?? '', 'ENOENT');
  const term = await take();
  fs.rmSync(place.layout.run, { recursive: true });
  fs.mkdirSync(place.layout.terms, { recursive: true });
  assert.not(term.isOurs());
  fs.writeFileSync(join(place.layout.terms, '1'), '');
  assert.not(term.isOurs(), 'another file of that name');
});

terms('a number that was counted in one run folder is never linked in another', async () => {
  await take();
  const exchange = meddle('open', '.tmp', () => {
    fs.renameSync(place.layout.run, `${place.layout.run}.gone`);
    fs.mkdirSync(place.layout.terms, { recursive: true });
    fs.writeFileSync(join(place.layout.terms, '1005'), '');
  });
  const term = await take(undefined, exchange).catch(() => undefined);
  assert.ok(term === undefined || term.number === 1006, `term ${term?.number} stands beside term 1005`);
});

terms('only terms/ was taken away: the own term is gone all the same', async () => {
  const term = await take();
  fs.rmSync(place.layout.terms, { recursive: true });
  assert.not(term.isOurs());
});

terms('a renewed one is its own plus one, with its own still there', async () => {
  const first = await take();
  const second = await take(first);
  assert.is(second.number, 2);
  assert.is(await refusal(take(first)), 'daemon_running', 'somebody came in between');
  plantSegment(9);
  assert.is(await refusal(take(second)), 'daemon_running', 'a pulled segment skips numbers');
  assert.equal(names(), ['1', '2']);
  fs.rmSync(join(place.layout.ledger, '000009-0123abcd.jsonl'));
  fs.rmSync(join(place.layout.terms, '2'));
  fs.writeFileSync(join(place.layout.terms, '2'), '');
  assert.is(await refusal(take(second)), 'daemon_running', 'its own is another file now');
});

terms('made-up numbers are refused instead of counted on', async () => {
  fs.writeFileSync(join(place.layout.ledger, '999999999999999-0123abcd.jsonl'), '');
  assert.is(await refusal(take()), 'ledger_unsafe');
});

terms.run();

import * as fs from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { limits } from '../../lib/base/limits.js';
import type { DamageRecord } from '../../lib/model/health.js';
import { layoutOf } from '../../lib/storage/layout.js';
import { createNodeClock } from '../../lib/storage/node-clock.js';
import { createNodeDisk } from '../../lib/storage/node-disk.js';
import { createNodeRandom } from '../../lib/storage/node-random.js';
import { copyDamage, cutSealed } from '../../lib/storage/repair.js';
import { createFaultyDisk, failing } from '../support/faulty-disk.js';
import { eventOf, eventsOf, type LedgerPlace, makeLedgerPlace } from '../support/ledger-place.js';
import { MemoryDisk } from '../support/memory-disk.js';

const repairs = suite('repair');
let place: LedgerPlace;
repairs.before.each(async () => {
  place = await makeLedgerPlace();
});
repairs.after.each(() => place.remove());

const seams = { clock: createNodeClock(), random: createNodeRandom() };
const quarantined = (): string[] =>
  fs.existsSync(place.layout.quarantine) ? fs.readdirSync(place.layout.quarantine).sort() : [];

/** A segment of four batches (of one, two, one and one events): its path, its bytes and the offset of each line. */
async function makeSegment(): Promise<{ name: string; path: string; bytes: Buffer; offsets: number[] }> {
  const { ledger } = await place.open();
  await ledger.append([eventOf(1)]);
  await ledger.append(eventsOf(2, 2));
  await ledger.append([eventOf(4)]);
  await ledger.append([eventOf(5)]);
  const { name } = ledger.segment;
  await ledger.close();
  const path = join(place.layout.ledger, name);
  const bytes = fs.readFileSync(path);
  const offsets = [0];
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) offsets.push(at + 1);
  return { name, path, bytes, offsets };
}

repairs('whole batches behind the seal stay; what is none is copied and cut', async () => {
  const { name, path, bytes, offsets } = await makeSegment();
  // Sealed behind the first event; behind that a whole batch of two, and a batch of one that was cut short.
  const [, , sealed = 0, , third = 0] = offsets;
  fs.truncateSync(path, third + 20);
  const said: string[] = [];
  const options = {
    ...seams,
    disk: createNodeDisk(),
    layout: place.layout,
    progress: (text: string) => said.push(text),
  };
  await cutSealed(options, name, sealed);
  assert.equal(fs.readFileSync(path), bytes.subarray(0, third));
  const copy = `${name}.from-byte-${third}`;
  assert.equal(quarantined(), [copy, `${copy}.note.json`]);
  assert.equal(fs.readFileSync(join(place.layout.quarantine, copy)), bytes.subarray(third, third + 20));
  assert.is(said.length, 1);
  await cutSealed(options, name, sealed);
  assert.is(quarantined().length, 2, 'there is nothing to do a second time');
});

repairs('limits.quarantinedLines: so many damaged lines are copied, and all are told', async () => {
  const { quarantinedLines } = limits;
  const disk = new MemoryDisk();
  for (const folder of [
    '/repository',
    '/repository/.agents',
    '/repository/.agents/daemon',
    '/repository/.agents/daemon/ledger',
  ])
    await disk.makeFolder(folder);
  const layout = layoutOf('/repository');
  const damage: DamageRecord[] = [];
  for (const segment of ['a.jsonl', 'b.jsonl']) {
    const file = await disk.open(join(layout.ledger, segment), 'create', 0o600);
    file.writeSync(Buffer.from('damaged\n'.repeat(quarantinedLines)), 0);
    await file.close();
    for (let line = 1; line <= quarantinedLines / 2 + 1; line++)
      damage.push({ line_number: damage.length + 1, segment, segment_line: line, error: 'no JSON' });
  }
  const options = { ...seams, disk, layout, progress: () => undefined };
  const told = await copyDamage(options, damage);
  assert.is(told.length, quarantinedLines + 2);
  const copied = told.filter(({ quarantine_path }) => quarantine_path !== undefined);
  assert.equal(
    copied.map(({ line_number }) => line_number),
    damage.slice(0, quarantinedLines).map(({ line_number }) => line_number),
  );
  assert.is((await disk.list(layout.quarantine))?.length, 2 * quarantinedLines, 'each with its note');
  const fits = await copyDamage(options, damage.slice(0, quarantinedLines));
  assert.ok(fits.every(({ quarantine_path }) => quarantine_path !== undefined));
});

repairs('half a batch of whole lines is no whole batch', async () => {
  const { name, path, bytes, offsets } = await makeSegment();
  const [, , sealed = 0, half = 0] = offsets;
  fs.truncateSync(path, half);
  await cutSealed({ ...seams, disk: createNodeDisk(), layout: place.layout, progress: () => undefined }, name, sealed);
  assert.equal(fs.readFileSync(path), bytes.subarray(0, sealed));
});

for (const call of ['open', 'write', 'datasync', 'syncFolder', 'link'] as const) {
  repairs(`nothing is cut when the copy fails at ${call}`, async () => {
    const { name, path, bytes, offsets } = await makeSegment();
    const [, , sealed = 0] = offsets;
    const size = sealed + 9;
    fs.truncateSync(path, size);
    const disk = createFaultyDisk(createNodeDisk(), (called, where) =>
      called === call && where.includes('quarantine') ? failing('ENOSPC', call, where) : undefined,
    );
    const said: string[] = [];
    await cutSealed({ ...seams, disk, layout: place.layout, progress: (text) => said.push(text) }, name, sealed);
    assert.equal(fs.readFileSync(path), bytes.subarray(0, size));
    assert.match(said.join(), 'ENOSPC');
  });
}

repairs('a taken name in the quarantine is left as it is', async () => {
  const { name, path, offsets } = await makeSegment();
  const [, , sealed = 0] = offsets;
  fs.truncateSync(path, sealed + 9);
  fs.mkdirSync(place.layout.quarantine, { recursive: true });
  const copy = `${name}.from-byte-${sealed}`;
  fs.writeFileSync(join(place.layout.quarantine, copy), 'earlier');
  await cutSealed({ ...seams, disk: createNodeDisk(), layout: place.layout, progress: () => undefined }, name, sealed);
  assert.is(fs.readFileSync(join(place.layout.quarantine, copy), 'utf8'), 'earlier');
  assert.is(fs.readFileSync(join(place.layout.quarantine, `${copy}.2`)).length, 9);
});

repairs.run();

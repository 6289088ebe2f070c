import * as fs from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { AgentopsdError } from '../../lib/base/errors.js';
import { fileNameOf } from '../../lib/base/file-name.js';
import { readActivation, removeActivation, writeActivation } from '../../lib/storage/activation.js';
import { createLeaseFiles, type LeaseRecord } from '../../lib/storage/lease-file.js';
import { createNodeDisk } from '../../lib/storage/node-disk.js';
import { createNodeRandom } from '../../lib/storage/node-random.js';
import { type LedgerPlace, makeLedgerPlace } from '../support/ledger-place.js';

const leases = suite('lease files');
const seams = { disk: createNodeDisk(), random: createNodeRandom() };
let place: LedgerPlace;
leases.before.each(async () => {
  place = await makeLedgerPlace();
});
leases.after.each(() => place.remove());

const record: LeaseRecord = {
  job_id: '../a/ b',
  job_type: 'rpi.run',
  attempt: 1,
  claim_token: 'token',
  lease_epoch: 1,
  lease_expires_at: '2026-01-02T03:04:05.678Z',
  writer: '0123abcd',
  marker: 'marker',
  children: [{ pid: 4711, started: '99' }, { pid: 4712 }],
};

leases('stand in both places, and the home tells them again', async () => {
  const files = createLeaseFiles({ ...seams, home: place.home, bootId: 'boot' });
  assert.equal(await files.recorded(), []);
  await files.write({ ...record, children: [] });
  await files.write(record);
  const shown = join(place.layout.leases, `${fileNameOf(record.job_id)}.json`);
  assert.equal(JSON.parse(fs.readFileSync(shown, 'utf8')), record);
  assert.equal(await files.recorded(), [record]);
  assert.equal(fs.readdirSync(place.layout.leases).length, 1, 'no temporary file is left');
  await files.remove(record.job_id);
  await files.remove(record.job_id);
  assert.equal(fs.readdirSync(place.layout.leases), []);
  assert.equal(await files.recorded(), []);
});

leases('what to kill is never read below the root', async () => {
  const files = createLeaseFiles({ ...seams, home: place.home, bootId: 'boot' });
  fs.mkdirSync(place.layout.leases, { recursive: true });
  fs.writeFileSync(join(place.layout.leases, 'x.json'), JSON.stringify(record));
  assert.equal(await files.recorded(), []);
});

leases('processes of another boot are nobody’s children', async () => {
  await createLeaseFiles({ ...seams, home: place.home, bootId: 'earlier' }).write(record);
  assert.equal(await createLeaseFiles({ ...seams, home: place.home, bootId: 'boot' }).recorded(), [
    { ...record, children: [] },
  ]);
});

leases('come back after a clean, and pass over what has no content', async () => {
  const files = createLeaseFiles({ ...seams, home: place.home, bootId: 'boot' });
  await files.write(record);
  fs.rmSync(place.layout.agents, { recursive: true });
  await files.write(record);
  assert.equal(fs.readdirSync(place.layout.leases).length, 1);
  fs.writeFileSync(join(place.home.folder, 'children', 'zeros.json'), Buffer.alloc(80));
  assert.equal(await files.recorded(), [record]);
});

leases('never go through a link that the repository brought', async () => {
  const elsewhere = join(place.state, 'elsewhere');
  fs.mkdirSync(elsewhere);
  fs.mkdirSync(place.layout.daemon, { recursive: true });
  fs.symlinkSync(elsewhere, place.layout.leases);
  const files = createLeaseFiles({ ...seams, home: place.home, bootId: 'boot' });
  for (const work of [() => files.write(record), () => files.remove(record.job_id)]) {
    try {
      await work();
      assert.unreachable();
    } catch (error) {
      assert.is((error as AgentopsdError).code, 'folder_unusable');
    }
  }
  assert.equal(fs.readdirSync(elsewhere), []);
});

leases('activation tells who listens, and goes with its own writer alone', async () => {
  const activation = {
    url: 'http://127.0.0.1:8765',
    pid: 42,
    writer: '0123abcd',
    started_at: '2026-01-02T03:04:05.678Z',
  };
  assert.is(await readActivation(seams.disk, place.home), undefined);
  await writeActivation(seams, place.home, activation);
  assert.equal(JSON.parse(fs.readFileSync(place.layout.activation, 'utf8')), activation);
  assert.equal(await readActivation(seams.disk, place.home), activation);
  await removeActivation(seams.disk, place.home, 'ffffffff');
  assert.equal(await readActivation(seams.disk, place.home), activation);
  await removeActivation(seams.disk, place.home, '0123abcd');
  assert.is(await readActivation(seams.disk, place.home), undefined);
  assert.not(fs.existsSync(place.layout.activation));
});

leases.run();

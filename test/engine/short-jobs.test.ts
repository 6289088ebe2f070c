import * as fs from 'node:fs';
import * as path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createNodeClock } from '../../lib/storage/node-clock.js';
import { Workshop, type WorkshopOptions } from '../support/workshop.js';

const short = suite('short jobs');
let shop: Workshop;
const entry = new URL('../support/puppet-entry.js', import.meta.url);

async function open(options: WorkshopOptions = {}): Promise<void> {
  shop = (await Workshop.open({ entry, ...options })).start();
}
short.after.each(() => shop.close());

const submit = (act: string): Promise<string> => shop.submit({ act }, 'wiki.forge');
const outputOf = (jobId: string): string => `.agents/runs/${jobId}/attempt-1/output.log`;

/** However busy the machine is, the moment from which a lease is shown does not come. */
const unhurried: WorkshopOptions = {
  clock: {
    ...createNodeClock(),
    after: (delayMs, work) => (delayMs === 100 ? () => {} : createNodeClock().after(delayMs, work)),
  },
  queue: { lease_seconds: 60, heartbeat_seconds: 30 },
};

short('one that leaves nothing costs its events alone: no folder, no lease file', async () => {
  await open(unhurried);
  const id = await submit('nothing');
  await shop.untilStatus(id, 'completed');
  await shop.untilIdle();
  assert.equal(shop.typesOf(id), ['job.accepted', 'job.claimed', 'job.completed']);
  assert.is(shop.job(id).artifacts?.['output'], outputOf(id), 'where its output would stand');
  assert.not(fs.existsSync(path.join(shop.root, '.agents')));
  assert.is(shop.leaseWrites.length, 0);
});

short('one that writes has its folder, as private as ever, and every task of a thread its own', async () => {
  await open({ workers: 1 });
  const [first, second, third] = [await submit('log'), await submit('nothing'), await submit('artifact')];
  await shop.untilStatus(third, 'completed');
  await shop.untilIdle();
  assert.is(await shop.read(outputOf(first)), 'hello\n');
  assert.is(fs.statSync(shop.runDir(first)).mode & 0o777, 0o700);
  assert.is(await shop.read(shop.job(third).artifacts?.['a/b.txt'] ?? ''), 'text');
  assert.equal(await shop.list('.agents/runs'), [first, third].sort());
  assert.not(fs.existsSync(path.join(shop.root, outputOf(second))));
});

short('the lease is recorded before the first process starts, and its folder is there', async () => {
  const room = { isThere: false };
  await open({
    writeLease: async () => {
      if (!room.isThere) throw new Error('no room');
    },
  });
  const id = await submit('process');
  await shop.until(() => shop.typesOf(id).includes('job.lease_expired'), 'the attempt is given up');
  room.isThere = true;
  await shop.untilStatus(id, 'completed');
  await shop.untilIdle();
  const { attempt } = shop.job(id);
  const output = (number: number): string => path.join(shop.runDir(id, number), 'output.log');
  for (let at = 1; at < attempt; at++) assert.not(fs.existsSync(output(at)), 'nothing was started without its record');
  const [recorded] = shop.leaseWrites;
  assert.equal(recorded?.children, []);
  assert.is(fs.readFileSync(output(attempt), 'utf8'), `${recorded?.marker}${shop.runDir(id, attempt)}\n`);
  assert.is(shop.leases.size, 0);
});

short('one that goes on shows its lease after a moment, and takes it away', async () => {
  await open();
  const id = await submit('wait');
  await shop.until(() => shop.leases.has(id), 'its lease shows');
  assert.is(shop.leases.get(id)?.claim_token, shop.job(id).claim_token);
  await shop.cancel(id);
  await shop.untilIdle();
  assert.is(shop.leases.size, 0);
});

short('a folder of runs that is a link fails the job that needs it, and nothing is written through it', async () => {
  await open();
  fs.mkdirSync(path.join(shop.root, 'elsewhere'));
  await shop.link('.agents/runs', 'elsewhere');
  const [writes, leavesNothing] = [await submit('log'), await submit('nothing')];
  await shop.untilStatus(writes, 'failed');
  assert.is(shop.job(writes).failure?.code, 'request_rejected');
  assert.match(shop.job(writes).failure?.message ?? '', /runs can't be used: it is no folder, or a link/);
  assert.equal(await shop.list('elsewhere'), []);
  await shop.untilStatus(leavesNothing, 'completed');
});

short.run();

import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { limits } from '../../lib/base/limits.js';
import { folding } from '../support/folding-observer.js';
import { type LedgerPlace, makeLedgerPlace } from '../support/ledger-place.js';
import { accepted } from '../support/model.js';

const test = suite<{ place: LedgerPlace }>('opening');

test.before.each(async (context) => {
  context.place = await makeLedgerPlace();
});
test.after.each(({ place }) => place.remove());

test('limits.segmentBytes and verifiedAtOnceBytes: where a segment ends, and what is verified before anything is served', async ({
  place,
}) => {
  const { segmentBytes, verifiedAtOnceBytes } = limits;
  const eventBytes = segmentBytes / 8;
  const goal = 'x'.repeat(eventBytes - 1_000);
  const events = (from: number, count: number) =>
    Array.from({ length: count }, (_, at) =>
      accepted('rpi.run', { job_id: `job_${from + at}`, seq: from + at }, { job_payload: { goal } }),
    );
  const sizes = async () =>
    Promise.all(
      (await readdir(place.layout.ledger))
        .sort()
        .map(async (name) => (await stat(join(place.layout.ledger, name))).size),
    );
  const openWhole = () => place.open({ observer: folding() });
  const first = await openWhole();
  for (const event of events(1, 7)) await first.ledger.append([event]);
  assert.is((await sizes()).length, 1);
  await first.ledger.close();
  const second = await openWhole();
  assert.is(
    second.ledger.health().verifiedThroughSeq,
    undefined,
    `less than ${verifiedAtOnceBytes} are verified at once`,
  );
  for (const event of events(8, 10)) await second.ledger.append([event]);
  const [, whole = 0, ...more] = await sizes();
  assert.equal([whole >= segmentBytes, whole < segmentBytes + eventBytes + 1_000, more.length], [true, true, 1]);
  await second.ledger.close();
  const third = await openWhole();
  assert.type(third.ledger.health().verifiedThroughSeq, 'number', 'the rest is verified behind');
  await third.ledger.close();
});

test.run();

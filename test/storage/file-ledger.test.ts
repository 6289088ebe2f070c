import * as fs from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { AgentopsdError } from '../../lib/base/errors.js';
import { limits } from '../../lib/base/limits.js';
import { readAnchor } from '../../lib/storage/anchor.js';
import { adoptionPayload } from '../../lib/storage/condition.js';
import { type Disk, DiskError } from '../../lib/storage/disk.js';
import { hashOfLine } from '../../lib/storage/line.js';
import { type FolderLock, noLock } from '../../lib/storage/lock.js';
import { createNodeDisk } from '../../lib/storage/node-disk.js';
import { createFaultyDisk, type DiskCall, failing } from '../support/faulty-disk.js';
import { eventOf, eventsOf, type LedgerPlace, makeLedgerPlace, seqsOf, until } from '../support/ledger-place.js';

const ledgers = suite('file ledger');
let place: LedgerPlace;
ledgers.before.each(async () => {
  place = await makeLedgerPlace();
});
ledgers.after.each(() => place.remove());

/** Of a refusal at the call itself too. */
const codeOf = (work: Promise<unknown> | (() => Promise<unknown>)): Promise<string | undefined> =>
  new Promise((resolve) => resolve(typeof work === 'function' ? work() : work)).then(
    () => undefined,
    (error: unknown) => (error instanceof AgentopsdError ? error.code : String(error)),
  );
const segments = (): string[] => fs.readdirSync(place.layout.ledger).sort();
const linesOf = (segment: string): string[] =>
  fs.readFileSync(join(place.layout.ledger, segment), 'utf8').split('\n').slice(0, -1);
/** Fails or changes calls on segments once `armed`. */
const faulty = (before: (call: DiskCall, path: string) => number | undefined) => {
  const state = { armed: false };
  const disk = createFaultyDisk(createNodeDisk(), (call, path) => (state.armed ? before(call, path) : undefined));
  return Object.assign(state, { disk });
};

ledgers('what was acknowledged is there after a restart, in one chain', async () => {
  const first = await place.open();
  assert.equal(await first.ledger.append(eventsOf(1, 2)), { firstSeq: 1, lastSeq: 2 });
  await Promise.all([first.ledger.append([eventOf(3)]), first.ledger.append([eventOf(4)])]);
  assert.equal(
    first.durable.map((event) => event.seq),
    [1, 2, 3, 4],
  );
  await first.ledger.close();
  const second = await place.open();
  assert.equal(
    second.replayed.map((event) => event.seq),
    [1, 2, 3, 4],
  );
  await second.ledger.append([eventOf(5)]);
  await second.ledger.close();
  let before: string | undefined;
  for (const line of segments().flatMap(linesOf)) {
    assert.is(JSON.parse(line).prev_hash, before);
    before = hashOfLine(Buffer.from(line));
  }
  assert.equal(
    segments()
      .flatMap(linesOf)
      .flatMap((line) => JSON.parse(line).seq ?? []),
    [1, 2, 3, 4, 5],
  );
});

ledgers('groups of one turn, and those that come during a sync, share a batch', async () => {
  let syncs = 0;
  const disk = createFaultyDisk(createNodeDisk(), (call, path) => {
    if (call === 'datasync' && path.endsWith('.jsonl')) syncs += 1;
    return undefined;
  });
  const { ledger } = await place.open({ disk });
  syncs = 0;
  const appends = [ledger.append([eventOf(1)]), ledger.append([eventOf(2)])];
  await until('the first batch is being written', () => syncs === 1);
  for (let seq = 3; seq <= 50; seq++) appends.push(ledger.append([eventOf(seq)]));
  await Promise.all(appends);
  assert.is(syncs, 2);
  const commits: unknown[] = [];
  for await (const { event, ours } of ledger.read(1)) {
    assert.ok(ours);
    if (event.commit) commits.push([event.commit.from, event.seq]);
  }
  assert.equal(commits, [
    [1, 2],
    [3, 50],
  ]);
});

ledgers('reads any span through the sparse index, over segments', async () => {
  const total = 3 * limits.indexStepEvents + 7;
  for (const [from, count] of [
    [1, 300],
    [301, 200],
    [501, total - 500],
  ] as const) {
    const { ledger } = await place.open();
    await ledger.append(eventsOf(from, count));
    await ledger.close();
  }
  const { ledger } = await place.open();
  await ledger.append(eventsOf(total + 1, 300));
  const last = total + 300;
  for (const [from, to] of [
    [1, 1],
    [1, last],
    [255, 258],
    [256, 257],
    [299, 302],
    [500, 501],
    [513, 513],
    [total, total + 1],
    [last, last],
    [last, last + 9],
    [0, 2],
    [9, 3],
  ] as const) {
    const expected = Array.from({ length: last }, (_, at) => at + 1).filter((seq) => seq >= from && seq <= to);
    assert.equal(await seqsOf(ledger.read(from, to)), expected, `${from} to ${to}`);
  }
  for await (const { event, segment, segmentLine } of ledger.read(490, 520)) {
    assert.is(JSON.parse(linesOf(segment)[segmentLine - 1] ?? '').seq, event.seq);
  }
});

ledgers('tail goes on with what is acknowledged, and ends with its signal and with the ledger', async () => {
  const { ledger } = await place.open();
  await ledger.append(eventsOf(1, 3));
  const stop = new AbortController();
  const seen: number[] = [];
  const ended = (async () => {
    for await (const { event } of ledger.tail(2, stop.signal)) seen.push(event.seq);
  })();
  await until('the past', () => seen.length === 2);
  await ledger.append([eventOf(4)]);
  await until('the present', () => seen.length === 3);
  stop.abort();
  await ended;
  assert.equal(seen, [2, 3, 4]);
  const closing = seqsOf(ledger.tail(4, new AbortController().signal));
  await ledger.close();
  await closing;
});

ledgers('short writes are looped over', async () => {
  const { disk } = Object.assign(
    faulty((call) => (call === 'write' ? 7 : undefined)),
    { armed: true },
  );
  const { ledger } = await place.open({ disk });
  await ledger.append(eventsOf(1, 5));
  await ledger.close();
  assert.is((await place.open()).replayed.length, 5);
});

for (const fault of ['write', 'datasync'] as const) {
  ledgers(`the first failed ${fault} ends the writer for good`, async () => {
    let calls = 0;
    const fake = faulty((call, path) => {
      if (call !== fault || !path.endsWith('.jsonl')) return undefined;
      calls += 1;
      return failing('EIO', call, path);
    });
    const opened = await place.open({ disk: fake.disk });
    await opened.ledger.append([eventOf(1)]);
    fake.armed = true;
    const inFlight = codeOf(() => opened.ledger.append([eventOf(2)]));
    await Promise.resolve();
    assert.is(await inFlight, 'outcome_unknown');
    fake.armed = false;
    assert.is(await codeOf(() => opened.ledger.append([eventOf(2)])), 'writer_stopped');
    assert.is(calls, 1, 'nothing is tried again');
    assert.is(opened.discards, 1);
    assert.is(opened.stopped.length, 1);
    assert.is(opened.ledger.health().writable, false);
    assert.match(opened.ledger.health().reasons.join(), 'EIO');
    assert.equal(await seqsOf(opened.ledger.read(1)), [1], 'reads go on');
    assert.equal(
      opened.durable.map((event) => event.seq),
      [1],
    );
  });
}

ledgers('groups that wait behind a failed batch were not written, and are told so', async () => {
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const base = createNodeDisk();
  let armed = false;
  const disk = {
    ...base,
    open: async (...given: Parameters<typeof base.open>) => {
      const file = await base.open(...given);
      return new Proxy(file, {
        get: (target, name) =>
          name === 'datasync' && armed
            ? async () => {
                await held;
                return failing('EIO', 'datasync', file.path);
              }
            : typeof Reflect.get(target, name) === 'function'
              ? Reflect.get(target, name).bind(target)
              : Reflect.get(target, name),
      });
    },
  };
  const opened = await place.open({ disk });
  armed = true;
  const first = codeOf(() => opened.ledger.append([eventOf(1)]));
  await new Promise((resume) => setImmediate(resume));
  const second = codeOf(() => opened.ledger.append([eventOf(2)]));
  release();
  assert.equal([await first, await second], ['outcome_unknown', 'writer_stopped']);
  armed = false;
  await opened.ledger.close();
  // The batch may survive, and here it does; the group behind it must not.
  const survivors = (await place.open()).replayed.map((event) => event.seq);
  assert.ok(survivors.length <= 1);
});

ledgers('a full disk is waited for: nothing acknowledged, then on under the next term', async () => {
  const fake = faulty((call, path) => {
    if (call !== 'write') return undefined;
    return failing('ENOSPC', call, path);
  });
  const opened = await place.open({ disk: fake.disk });
  await opened.ledger.append([eventOf(1)]);
  const before = opened.ledger.segment;
  fake.armed = true;
  assert.is(await codeOf(() => opened.ledger.append([eventOf(2)])), 'outcome_unknown');
  assert.is(await codeOf(() => opened.ledger.append([eventOf(2)])), 'writer_stopped');
  assert.is(opened.ledger.health().writable, false);
  assert.equal(opened.stopped, []);
  await opened.ledger.recheck();
  assert.equal(opened.stopped, [], 'a full disk is no lost ledger');
  fake.armed = false;
  await until('there is room', () => opened.ledger.health().writable);
  assert.is(opened.ledger.segment.term, before.term + 1);
  await opened.ledger.append([eventOf(2)]);
  assert.equal(await seqsOf(opened.ledger.read(1)), [1, 2]);
  await opened.ledger.close();
  const again = await place.open();
  assert.equal(
    again.replayed.map((event) => event.seq),
    [1, 2],
  );
  assert.equal(again.ledger.health().reasons, []);
});

ledgers('a segment ends at its size, and the next one goes on', async () => {
  const opened = await place.open({ segmentBytes: 2_000 });
  for (let seq = 1; seq <= 20; seq++) await opened.ledger.append([eventOf(seq)]);
  await Promise.all(eventsOf(21, 20).map((event) => opened.ledger.append([event])));
  assert.ok(segments().length > 3, `${segments().length} segments`);
  assert.equal(
    await seqsOf(opened.ledger.read(1)),
    eventsOf(1, 40).map((event) => event.seq),
  );
  await opened.ledger.close();
  const again = await place.open();
  assert.is(again.plan.status, 'complete');
  assert.equal(
    again.replayed.map((event) => event.seq),
    eventsOf(1, 40).map((event) => event.seq),
  );
});

ledgers('a line over the limit is refused before anything is decided on it', async () => {
  const { ledger } = await place.open();
  const payload = { text: '\u007f'.repeat(limits.ledgerLineBytes / 4) };
  assert.throws(
    () => ledger.append([eventOf(1, { payload })]),
    (error: unknown) => (error as AgentopsdError).code === 'body_too_large',
  );
  await ledger.append([eventOf(1, { payload: { text: 'x'.repeat(limits.ledgerLineBytes / 4) } })]);
  assert.is(ledger.lastSeq(), 1);
});

ledgers('a successor between sync and check: no acknowledgement', async () => {
  const opened = await place.open();
  await opened.ledger.append([eventOf(1)]);
  const successor = await place.open();
  assert.is(await codeOf(() => opened.ledger.append([eventOf(2)])), 'outcome_unknown');
  assert.match(opened.stopped.join(), 'took over');
  await successor.ledger.append([eventOf(2, { job_id: 'other' })]);
  await opened.ledger.close();
  await successor.ledger.close();
  const third = await place.open();
  assert.equal(
    third.replayed.map((event) => event.job_id),
    ['job', 'other'],
  );
  assert.is(third.plan.status, 'complete');
});

for (const [what, code, harm] of [
  ['removed', 'outcome_unknown', (path: string) => fs.rmSync(path)],
  [
    'replaced',
    'outcome_unknown',
    (path: string) => {
      fs.writeFileSync(`${path}.new`, fs.readFileSync(path));
      fs.renameSync(`${path}.new`, path);
    },
  ],
  ['given a second name', 'outcome_unknown', (path: string) => fs.linkSync(path, `${path}.twin`)],
  // A write would fill the hole with zeros, or stand over the stranger's bytes: the size is looked at before it.
  ['cut', 'writer_stopped', (path: string) => fs.truncateSync(path, 10)],
  ['appended to', 'writer_stopped', (path: string) => fs.appendFileSync(path, 'x')],
] as const) {
  ledgers(`a segment that was ${what}: no acknowledgement`, async () => {
    const opened = await place.open();
    await opened.ledger.append([eventOf(1)]);
    harm(join(place.layout.ledger, opened.ledger.segment.name));
    assert.is(await codeOf(() => opened.ledger.append([eventOf(2)])), code);
    assert.is(opened.stopped.length, 1);
    assert.is(opened.discards, 1);
  });
}

ledgers('what git takes away under the daemon is found when idle, and saved', async () => {
  const first = await place.open();
  await first.ledger.append(eventsOf(1, 3));
  await first.ledger.close();
  const opened = await place.open();
  await opened.ledger.append([eventOf(4)]);
  const [old, own] = segments() as [string, string];
  const contents = [old, own].map((name) => fs.readFileSync(join(place.layout.ledger, name)));
  fs.rmSync(place.layout.daemon, { recursive: true });
  await until('it is found without a batch', () => opened.stopped.length === 1, 2 * limits.ownershipCheckMs);
  const saved = [old, own].map((name) => join(place.layout.quarantine, name));
  await until('it is saved', () => saved.every((path) => fs.existsSync(`${path}.note.json`)));
  assert.equal(
    saved.map((path) => fs.readFileSync(path)),
    contents,
  );
  assert.equal(await seqsOf(opened.ledger.read(1)), [1, 2, 3, 4], 'reads go on from the descriptors');
  // What removed the files may take the copies too, when it comes to them.
  fs.rmSync(place.layout.quarantine, { recursive: true });
  await opened.ledger.recheck();
  assert.equal(
    saved.map((path) => fs.readFileSync(path)),
    contents,
  );
});

ledgers('removed run folder: no acknowledgement', async () => {
  const opened = await place.open();
  fs.rmSync(place.layout.run, { recursive: true });
  assert.is(await codeOf(() => opened.ledger.append([eventOf(1)])), 'outcome_unknown');
});

ledgers('what a killed daemon did not come to anchor, the next one anchors, though it appends nothing', async () => {
  const first = await place.open();
  await first.ledger.append(eventsOf(1, 3));
  await first.ledger.close();
  fs.rmSync(join(place.home.folder, 'anchor.json'));
  const second = await place.open();
  await second.ledger.close();
  assert.is((await readAnchor(createNodeDisk(), place.home))?.seq, 3);
});

ledgers('an opener whom somebody overtook is refused, whatever the successor has anchored', async () => {
  const first = await place.open();
  await first.ledger.append(eventsOf(1, 3));
  await first.ledger.close();
  const anchor = join(place.home.folder, 'anchor.json');
  const state = faulty((call, path) => {
    if (call !== 'open' || path !== anchor) return undefined;
    fs.writeFileSync(join(place.layout.terms, '3'), '');
    fs.writeFileSync(anchor, JSON.stringify({ hash: 'f'.repeat(64), seq: 9 }));
    return undefined;
  });
  state.armed = true;
  assert.is(await codeOf(() => place.open({ disk: state.disk })), 'daemon_running');
});

ledgers('a lock that is lost while nothing can be looked at ends nobody', async () => {
  let lose: (reason: string) => void = () => undefined;
  const lock: FolderLock = {
    ...noLock,
    async acquire({ onLost }) {
      lose = onLost;
      return { release: async () => undefined };
    },
  };
  const real = createNodeDisk();
  const state = { armed: false };
  const factsSync: Disk['factsSync'] = (path) => {
    if (state.armed && path.includes('/terms/')) throw new DiskError('EIO', 'facts', path);
    return real.factsSync(path);
  };
  const opened = await place.open({ disk: { ...real, factsSync }, lock });
  state.armed = true;
  lose('somebody removed it');
  await until('it is said', () => opened.said.some((text) => text.includes('could not be looked after')));
  state.armed = false;
  await opened.ledger.append([eventOf(1)]);
});

ledgers('a torn end is copied, cut from our own segment, and no damage', async () => {
  const first = await place.open();
  await first.ledger.append([eventOf(1)]);
  await first.ledger.close();
  const before = await place.open();
  fs.rmSync(join(place.home.folder, 'anchor.json'));
  for (const event of eventsOf(2, 2)) await before.ledger.append([event]);
  const name = before.ledger.segment.name;
  await before.ledger.close();
  fs.rmSync(join(place.home.folder, 'anchor.json'));
  const path = join(place.layout.ledger, name);
  const all = fs.readFileSync(path);
  // The batch of one event each: the second one's write was cut short.
  const whole = all.subarray(0, all.subarray(0, -1).lastIndexOf(10) + 1);
  const half = all.subarray(whole.length, whole.length + 60);
  fs.truncateSync(path, whole.length + 60);
  const second = await place.open();
  assert.is(second.plan.status, 'complete');
  assert.equal(second.ledger.health().damage, []);
  assert.equal(fs.readFileSync(path), whole);
  const kept =
    fs.readdirSync(place.layout.quarantine).find((entry) => entry.startsWith(name) && !entry.endsWith('.note.json')) ??
    '';
  assert.equal(fs.readFileSync(join(place.layout.quarantine, kept)), half);
  const note = JSON.parse(fs.readFileSync(join(place.layout.quarantine, `${kept}.note.json`), 'utf8'));
  assert.is(note.from_byte, whole.length);
});

ledgers('damage is told, holds claims back, and is accepted by an event of ours', async () => {
  const first = await place.open();
  for (const event of eventsOf(1, 4)) await first.ledger.append([event]);
  await first.ledger.close();
  const [name] = segments() as [string];
  const path = join(place.layout.ledger, name);
  fs.writeFileSync(path, fs.readFileSync(path, 'utf8').replace('req_2', 'req_X'));
  const second = await place.open();
  const health = second.ledger.health();
  assert.is(second.plan.status, 'corrupt');
  assert.equal(
    health.damage.map((record) => [record.segment, record.segment_line]),
    [[name, 3]],
  );
  assert.is(health.claimsHeldThroughSeq, 4);
  assert.match(fs.readFileSync(join(place.root, health.damage[0]?.quarantine_path ?? ''), 'utf8'), 'req_X');
  await second.ledger.append([
    eventOf(5, { event_type: 'ledger.damage_adopted', payload: adoptionPayload(health.damage) }),
  ]);
  assert.equal(second.ledger.health().damage, []);
  assert.is(second.ledger.health().claimsHeldThroughSeq, 0);
  await second.ledger.close();
  const third = await place.open();
  assert.equal(third.ledger.health().damage, []);
  assert.is(third.ledger.health().claimsHeldThroughSeq, 0);
  await third.ledger.close();
  fs.writeFileSync(path, fs.readFileSync(path, 'utf8').replace('req_3', 'req_Y'));
  assert.equal(
    (await place.open()).ledger.health().damage.map((record) => record.segment_line),
    [4],
    'other damage is told',
  );
});

ledgers('an older state of the ledger is told until it is accepted', async () => {
  const first = await place.open();
  await first.ledger.append([eventOf(1)]);
  await first.ledger.close();
  const [name] = segments() as [string];
  const older = fs.readFileSync(join(place.layout.ledger, name));
  const second = await place.open();
  await second.ledger.append(eventsOf(2, 2));
  await second.ledger.close();
  assert.is((await readAnchor(createNodeDisk(), place.home))?.seq, 3);
  for (const segment of segments()) fs.rmSync(join(place.layout.ledger, segment));
  fs.writeFileSync(join(place.layout.ledger, name), older);
  for (const again of ['once', 'and again after a restart with new events']) {
    const opened = await place.open();
    const { damage, claimsHeldThroughSeq } = opened.ledger.health();
    assert.is(damage.length, 1, again);
    assert.match(damage[0]?.error ?? '', 'event 3');
    assert.is(claimsHeldThroughSeq, opened.plan.lastSeq, again);
    await opened.ledger.append([eventOf(opened.plan.lastSeq + 1, { job_id: again })]);
    await opened.ledger.close();
  }
  const opened = await place.open();
  const { damage } = opened.ledger.health();
  await opened.ledger.append([
    eventOf(opened.plan.lastSeq + 1, { event_type: 'ledger.damage_adopted', payload: adoptionPayload(damage) }),
  ]);
  assert.equal(opened.ledger.health().damage, []);
  await opened.ledger.close();
  assert.equal((await place.open()).ledger.health().damage, []);
});

ledgers('a link or a FIFO in the place of a segment or folder is refused', async () => {
  const first = await place.open();
  await first.ledger.append([eventOf(1)]);
  await first.ledger.close();
  const [name] = segments() as [string];
  const path = join(place.layout.ledger, name);
  fs.renameSync(path, join(place.state, name));
  fs.symlinkSync(join(place.state, name), path);
  assert.is(await codeOf(place.open()), 'file_unsafe');
  fs.rmSync(path);
  fs.renameSync(place.layout.ledger, join(place.state, 'ledger'));
  fs.symlinkSync(join(place.state, 'ledger'), place.layout.ledger);
  assert.is(await codeOf(place.open()), 'folder_unusable');
});

ledgers('closing waits for what was given, and is idempotent', async () => {
  const opened = await place.open();
  const appended = opened.ledger.append([eventOf(1)]);
  const closing = [opened.ledger.close(), opened.ledger.close()];
  assert.is(await codeOf(() => opened.ledger.append([eventOf(2)])), 'writer_stopped', 'it takes nothing more');
  await Promise.all(closing);
  assert.equal(await appended, { firstSeq: 1, lastSeq: 1 });
  assert.is(await codeOf(() => opened.ledger.append([eventOf(2)])), 'writer_stopped');
  assert.is((await place.open()).replayed.length, 1);
});

ledgers.run();

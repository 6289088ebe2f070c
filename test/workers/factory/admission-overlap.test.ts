import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { limits } from '../../../lib/base/limits.js';
import type { OpenOrder } from '../../../lib/model/worker-protocol.js';
import { factoryLimits } from '../../../workers/factory/limits.js';
import { type AdmissionFile, admission, type FactoryRoom, openFactoryRoom } from '../../support/factory-room.js';

const test = suite<FactoryRoom>('admission, beside others');
test.before.each(openFactoryRoom);
test.after.each(({ bench }) => bench.remove());

const codes = ({ blockers }: AdmissionFile): string[] => blockers.map(({ code }) => code);

test('open requests that touch the same, by their paths or by their branch', async (room) => {
  room.git.run('checkout', '-q', '-b', 'topic');
  room.bench.put('src/deep/b.txt', 'b\n');
  room.git.commit('of a topic');
  room.git.run('checkout', '-q', 'main');
  const overlap = async (paths: string[], request: object) => {
    const denied = await admission(room, { paths, open_requests: [{ id: '#1', ...request }] });
    return denied.blockers.map(({ code, paths: shared }) => [code, shared]);
  };
  assert.equal(await overlap(['src/deep'], { ref: 'topic' }), [['overlap', ['src/deep/b.txt']]]);
  assert.equal(await overlap(['docs'], { ref: 'topic' }), []);
  assert.equal(await overlap(['docs'], { ref: 'topic', paths: ['docs/index.md'] }), [['overlap', ['docs/index.md']]]);
  assert.equal(await overlap([], { paths: ['anything'] }), [['overlap', ['anything']]]);
  assert.equal(await overlap(['src/a.txt'], { paths: ['src/a.txt.orig', 'sr'] }), []);
  assert.equal(await overlap(['src/new/'], { paths: ['./src'] }), [['overlap', ['src']]]);
  assert.equal(await overlap(['src'], { paths: [] }), [['overlap', ['.']]]);
  assert.equal(await overlap(['src'], { ref: 'gone' }), [['overlap_unknown', undefined]]);
});

test('two names of one place overlap', async (room) => {
  symlinkSync('src', join(room.bench.root, 'link'));
  room.git.commit('a link');
  const denied = await admission(room, { paths: ['link/a.txt'], open_requests: [{ id: '#1', paths: ['src/a.txt'] }] });
  assert.equal(codes(denied), ['overlap']);
});

test('jobs that carry an order, or are about to', async (room) => {
  const job = (more: Partial<OpenOrder>): OpenOrder => ({
    job_id: 'other',
    job_type: 'rpi.run',
    earlier: false,
    handsOn: false,
    work_order: { paths: ['src'] },
    ...more,
  });
  const denials: [Partial<OpenOrder>, boolean][] = [
    [{}, true],
    [{ work_order: { paths: ['docs'] } }, false],
    [{ work_order: {} }, true],
    [{ work_order: { paths: 'src' } }, true],
    [{ work_order: { paths: [7, null] } }, true],
    [{ work_order: 'gone.json' }, false],
    [{ job_type: 'factory.admission', handsOn: true, earlier: true }, true],
    [{ job_type: 'factory.admission', handsOn: true }, false],
    [{ job_type: 'factory.admission', earlier: true }, false],
    [{ job_type: 'factory.local-pilot', earlier: true }, false],
  ];
  for (const [more, denied] of denials) {
    room.bench.openOrders = [job(more)];
    const decided = await admission(room, { paths: ['src/a.txt'] });
    assert.equal(codes(decided), denied ? ['overlap'] : [], JSON.stringify(more));
  }
});

test('a decision has room in its event, whatever there is to tell', async (room) => {
  const paths = Array.from({ length: 20 }, (_, at) => `src/${String(at).padStart(2)}${'\u0001'.repeat(4000)}`);
  const open_requests = Array.from({ length: 11 }, () => ({ id: '\u0001'.repeat(200), paths }));
  await admission(room, { goal: 'x'.repeat(32_000), metadata: { text: 'x'.repeat(32_000) }, open_requests });
  const recorded = room.bench.kernel?.recorded() as { payload: unknown }[] | undefined;
  assert.ok(Buffer.byteLength(JSON.stringify(recorded?.[0]?.payload)) <= limits.recordedPayloadBytes);
});

test('of very many blockers the first are told', async (room) => {
  const open_requests = Array.from({ length: 300 }, (_, at) => ({ id: `#${at}`, paths: ['src'] }));
  const decided = await admission(room, { open_requests });
  assert.is(decided.blockers.length, factoryLimits.toldBlockers);
  assert.is(decided.checks[3]?.found, '300 blockers');
});

test('what CI said about the base', async (room) => {
  const ci = (ci_baseline: unknown) => admission(room, { ci_baseline, allow_dirty: true });
  const good = { sha: room.base, status: 'passed', url: 'https://ci.example/1' };
  assert.equal(codes(await ci(good)), []);
  assert.equal(codes(await ci({ ...good, status: 'failed' })), ['ci_not_passed']);
  assert.equal(codes(await ci({ ...good, status: 'running' })), ['ci_not_passed']);
  assert.equal(codes(await ci({ ...good, sha: '0'.repeat(40) })), ['ci_other_commit']);
  assert.equal(codes(await ci('ci/baseline.json')), ['ci_missing']);
  room.bench.put('ci/baseline.json', JSON.stringify({ ...good, extra: 1 }));
  assert.equal(codes(await ci('ci/baseline.json')), []);
});

test.run();

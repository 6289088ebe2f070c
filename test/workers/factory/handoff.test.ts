import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fileNameOf } from '../../../lib/base/file-name.js';
import type { JsonObject } from '../../../lib/base/json.js';
import { factoryAdmission } from '../../../workers/factory-admission.js';
import { createBench } from '../../support/builtin-context.js';
import { admission, assertRejected, type FactoryRoom, openFactoryRoom } from '../../support/factory-room.js';

const test = suite<FactoryRoom>('handing an order on');
test.before.each(openFactoryRoom);
test.after.each(({ bench }) => bench.remove());

interface Kept {
  event_type?: string;
  job_type?: string;
  idempotency_key?: string;
  payload: JsonObject;
}
const recorded = ({ bench }: FactoryRoom) => bench.kernel?.recorded() as Kept[];
const children = (room: FactoryRoom) => recorded(room).filter(({ job_type }) => job_type !== undefined);
const order = { goal: 'it works', paths: ['src'], validation_commands: ['true'], metadata: { ticket: 7 } };

test('an admitted order is handed on as a run with all that it needs', async (room) => {
  const handoff = { start_phase: 2, max_phase: 3, worktree: true, mode: 'daemon' };
  const decided = await admission(room, order, { handoff, run_id: 'run-7' });
  const [child, ...others] = children(room);
  assert.equal(others, []);
  assert.equal([child?.job_type, child?.idempotency_key], ['rpi.run', 'factory.admission:handoff:job-1']);
  const { work_order, ...payload } = child?.payload ?? {};
  assert.equal(payload, { goal: 'it works', run_id: 'run-7', validation_commands: ['true'], ...handoff });
  const carried = work_order as JsonObject;
  assert.equal([carried['base_sha'], carried['paths'], carried['metadata']], [room.base, ['src'], { ticket: 7 }]);
  assert.is(decided.handoff?.idempotency_key, child?.idempotency_key);
});

test('a denied order is not, nor one that nobody wants to be', async (room) => {
  await admission(room, { ...order, base_sha: '0'.repeat(40) }, { handoff: true });
  for (const handoff of [false, null]) await admission(room, order, { handoff });
  assert.equal(children(room), []);
});

test('a later attempt goes by what the first one decided, whatever changed since', async (room) => {
  room.bench.put('order.json', JSON.stringify(order));
  room.git.commit('the order');
  const payload = { work_order: 'order.json', handoff: true };
  await room.bench.run(factoryAdmission, 'factory.admission', payload);
  const first = recorded(room);
  const files = ['admission.json', 'work_order.json'].map((name) => room.bench.read(room.bench.artifacts[name] ?? ''));
  room.bench.put('order.json', 'not an order any more');
  const again = createBench(room.bench.root, 2);
  again.startsProcesses = true;
  again.kernel = room.bench.kernel;
  await again.run(factoryAdmission, 'factory.admission', payload);
  assert.equal(recorded(room), first);
  assert.equal(
    ['admission.json', 'work_order.json'].map((name) => again.read(again.artifacts[name] ?? '')),
    files,
  );
});

test("somebody else's job under the key fails it, in words", async (room) => {
  await room.bench.kernel?.submitJob({
    job_type: 'rpi.run',
    idempotency_key: 'factory.admission:handoff:job-1',
    payload: { goal: 'another' },
  });
  await assertRejected(admission(room, order, { handoff: true }), /not handed on: the key .* stands for the job/);
});

test('a hand-off that is none, or of an order without a goal, is refused before anything is decided', async (room) => {
  const wrong: [unknown, RegExp][] = [
    ['yes', /^payload\.handoff must be true, false or an object/],
    [{ start_phse: 1 }, /^payload\.handoff\."start_phse" is unknown; did you mean start_phase/],
    [{ start_phase: 4 }, /^payload\.handoff\.start_phase must be a number from 1 to 3/],
    [{ start_phase: 3, max_phase: 2 }, /^payload\.handoff\.max_phase must be a number from 3 to 3/],
    [{ worktree: 'yes' }, /^payload\.handoff\.worktree must be true or false/],
    [{ mode: 7 }, /^payload\.handoff\.mode must be a string/],
  ];
  for (const [handoff, words] of wrong) await assertRejected(admission(room, order, { handoff } as JsonObject), words);
  for (const goal of [undefined, null, ' '])
    await assertRejected(
      admission(room, { ...order, goal }, { handoff: true }),
      /^payload\.work_order\.goal is missing/,
    );
  await assertRejected(admission(room, order, { run_id: 7 }), /^payload\.run_id must be a string/);
  assert.equal(recorded(room), []);
});

test('the longest job id has room in the key', () => {
  assert.ok(`factory.local-pilot:handoff:${fileNameOf('ä'.repeat(128))}`.length <= 256);
});

test.run();

/** What the factory workers take and tell at most: exactly so much passes, and what is more is refused, cut or counted. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { canonicalJson } from '../../../lib/base/canonical.js';
import type { JsonObject } from '../../../lib/base/json.js';
import { blocked, somePaths, toldPaths } from '../../../workers/factory/admission-checks.js';
import { factoryLimits } from '../../../workers/factory/limits.js';
import { carried, readJsonFile, readWorkOrder } from '../../../workers/factory/work-order.js';
import { rpiLimits } from '../../../workers/rpi/limits.js';
import { refusalOf } from '../../support/builtin-context.js';
import { admission, assertRejected, type FactoryRoom, openFactoryRoom, pilot } from '../../support/factory-room.js';
import { scriptedAgent } from '../../support/scripted-agent.js';

const test = suite<FactoryRoom>('limits of the factory');
test.before.each(openFactoryRoom);
test.after.each(({ bench }) => bench.remove());

const read = ({ bench }: FactoryRoom, work_order: JsonObject) =>
  readWorkOrder(bench.root, { job_id: 'job-9', payload: { work_order } });

test('factoryLimits.orderBytes: of a file that holds an order or a baseline', async (room) => {
  const { orderBytes } = factoryLimits;
  const file = () => readJsonFile(room.bench.root, 'order.json', 'payload.work_order');
  room.bench.put('order.json', '{"goal":"x"}'.padEnd(orderBytes));
  assert.equal(await file(), { goal: 'x' });
  room.bench.put('order.json', '{"goal":"x"}'.padEnd(orderBytes + 1));
  await assertRejected(file(), new RegExp(`^payload\\.work_order: "order\\.json": larger than ${orderBytes} bytes$`));
});

test('factoryLimits.carriedBytes: without its open requests', async (room) => {
  const { carriedBytes } = factoryLimits;
  const order = (characters: number) => ({
    metadata: { text: 'x'.repeat(characters) },
    open_requests: [{ id: 'y'.repeat(200), paths: ['docs'] }],
  });
  const bare = Buffer.byteLength(canonicalJson(carried(await read(room, order(0)))));
  const most = await read(room, order(carriedBytes - bare));
  assert.is(Buffer.byteLength(canonicalJson(carried(most))), carriedBytes);
  await assertRejected(
    read(room, order(carriedBytes - bare + 1)),
    new RegExp(`is ${carriedBytes + 1} bytes long without its open requests; at most ${carriedBytes} pass`),
  );
});

test('factoryLimits.toldProblems: the others are counted', async (room) => {
  const { toldProblems } = factoryLimits;
  const wrong = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, at) => [`no_member_${at}`, 1]));
  const all = await refusalOf(read(room, wrong(toldProblems)));
  assert.equal([all.match(/unknown member/g)?.length, /more$/.test(all)], [toldProblems, false]);
  const more = await refusalOf(read(room, wrong(toldProblems + 1)));
  assert.equal([more.match(/unknown member/g)?.length, more.endsWith('; and 1 more')], [toldProblems, true]);
});

test('factoryLimits.toldBlockers: the others are counted', () => {
  const { toldBlockers } = factoryLimits;
  const of = (count: number) =>
    blocked(
      'overlap',
      Array.from({ length: count }, () => ({ check: 'overlap', code: 'overlap', message: 'x' }) as const),
    );
  assert.is(of(toldBlockers).blockers.length, toldBlockers);
  const { blockers, check } = of(toldBlockers + 1);
  assert.equal([blockers.length, check.found], [toldBlockers, `${toldBlockers + 1} blockers`]);
});

test('factoryLimits.toldPaths and toldPathCharacters: what is cut ends in …', () => {
  const { toldPaths: most, toldPathCharacters } = factoryLimits;
  const paths = (count: number) => Array.from({ length: count }, (_, at) => `p${at}`);
  assert.is(
    toldPaths(paths(most)),
    paths(most)
      .map((path) => `"${path}"`)
      .join(', '),
  );
  assert.is(toldPaths(paths(most + 1)), `${toldPaths(paths(most))} …`);
  assert.equal(somePaths(paths(most + 1)), paths(most));
  const longest = 'x'.repeat(toldPathCharacters);
  assert.equal(somePaths([longest, `${longest}y`]), [longest, `${longest}…`]);
});

test('factoryLimits.handedOnCommands: no order is handed on that no run would take', async (room) => {
  const { handedOnCommands } = factoryLimits;
  assert.is(handedOnCommands, rpiLimits.validationCommands);
  const order = (commands: number) => ({ goal: 'x', validation_commands: Array(commands).fill('true') });
  assert.ok((await admission(room, order(handedOnCommands), { handoff: true })).handoff);
  const decisions = room.bench.kernel?.recorded().length;
  const refused = `work_order\\.validation_commands: ${handedOnCommands + 1} commands, .* may have ${handedOnCommands} at most`;
  for (const start of [admission, pilot])
    await assertRejected(start(room, order(handedOnCommands + 1), { handoff: true }), new RegExp(refused));
  assert.is(room.bench.kernel?.recorded().length, decisions, 'nothing was decided about it');
  assert.is((await admission(room, order(handedOnCommands + 1))).allowed, true);
});

test('factoryLimits.changedPaths: the others are counted, those outside of the order too', async (room) => {
  const { changedPaths } = factoryLimits;
  const touch = (count: number) => `mkdir new && cd new && seq 1 ${count} | xargs touch`;
  const all = await pilot(room, { paths: ['new'], commands: [touch(changedPaths)] });
  assert.equal([all.diff.changes.length, all.diff.changed_count], [changedPaths, changedPaths]);
  const more = await pilot(room, { paths: ['src'], commands: [touch(changedPaths + 1)] });
  assert.equal([more.diff.changes.length, more.diff.changed_count], [changedPaths, changedPaths + 1]);
  assert.equal([more.outside_paths.length, more.outside_count], [changedPaths, changedPaths + 1]);
});

test('factoryLimits.outputCharacters: of a long output or answer the end, behind a …', async (room) => {
  const { outputCharacters } = factoryLimits;
  const long = (count: number) => 'abcdefgh'.repeat(count).slice(0, count);
  room.bench.agent = scriptedAgent([long(outputCharacters), long(outputCharacters + 1)]);
  const order = (characters: number) => ({ goal: 'x', commands: [`printf %s ${long(characters)}`] });
  const all = await pilot(room, order(outputCharacters));
  assert.equal([all.commands[0]?.output, all.agent?.answer], [long(outputCharacters), long(outputCharacters)]);
  const more = await pilot(room, order(outputCharacters + 1));
  const end = `…${long(outputCharacters + 1).slice(2)}`;
  assert.equal([more.commands[0]?.output, more.agent?.answer], [end, end]);
});

test.run();

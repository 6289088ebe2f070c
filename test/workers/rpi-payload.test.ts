import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { JsonObject } from '../../lib/base/json.js';
import { RpiRoom } from '../support/rpi-room.js';

const test = suite('what rpi.run is asked for');
let room: RpiRoom;
test.before.each(async () => {
  room = await RpiRoom.open();
});
test.after.each(() => room.close());

test('without an agent it fails and says which line is missing, whatever the payload is', async () => {
  room.start({ agent: 'none' });
  for (const type of ['rpi.run', 'rpi.phase'] as const) {
    for (const payload of [{ goal: 'x' }, {}, { start_phase: 9 }] as JsonObject[]) {
      const { failure } = await room.ended(payload, type);
      assert.is(failure?.code, 'provider_unreachable');
      assert.ok(failure?.message?.includes(`"  ${type}: { agent: claude }"`), failure?.message);
    }
  }
});

test('what can not be run is refused by the name of its member', async () => {
  room.start();
  const refused = async (payload: JsonObject, message: RegExp, type: 'rpi.run' | 'rpi.phase' = 'rpi.run') => {
    const { failure } = await room.ended(payload, type);
    assert.is(failure?.code, 'request_rejected');
    assert.match(failure?.message ?? '', message);
  };
  await refused({}, /payload\.goal is missing/);
  await refused({ goal: 'x', start_phase: 3, max_phase: 2 }, /payload\.start_phase is 3/);
  await refused({ goal: 'x', max_phase: 4 }, /payload\.max_phase/);
  await refused({ goal: 'x', execution_packet_path: '../out' }, /payload\.execution_packet_path/);
  await refused({ goal: 'x', validation_commands: ['true'] }, /allow_payload_commands: true/);
  await refused({ goal: 'x', phase: 2, phase_name: 'validation' }, /payload\.phase is 2/, 'rpi.phase');
  await refused({ goal: 'x', phase_name: 'party' }, /payload\.phase_name/, 'rpi.phase');
});

test('a work order stands in every prompt, and may stand for the goal', async () => {
  room.start();
  const job = await room.ended({ work_order: { allowed_paths: ['docs'] }, max_phase: 1 });
  assert.is(job.status, 'completed', job.failure?.message);
  assert.match(room.text(job, 'phase-1/prompt.md'), /Work order\n\n.*\n\n\{\n {2}"allowed_paths": \[/);
});

test('the execution packet stands in every prompt, and may stand for the goal', async () => {
  room.start();
  writeFileSync(join(room.shop.root, 'packet.md'), 'Build the bridge.\n');
  const job = await room.ended({ execution_packet_path: 'packet.md', max_phase: 1 });
  assert.is(job.status, 'completed', job.failure?.message);
  assert.match(room.text(job, 'phase-1/prompt.md'), /Execution packet\n\nBuild the bridge\./);
});

test('the exit codes of the validation commands are the verdict of the last phase', async () => {
  room.start({ commands: true });
  const good = await room.ended({ goal: '[[2:edit b.txt]]', validation_commands: ['test -s b.txt', 'echo fine'] });
  assert.is(good.status, 'completed', good.failure?.message);
  const [first, second] = room.object(good, 'phase-3/result.json')['commands'] as JsonObject[];
  assert.is(first?.['exit_code'], 0);
  assert.is(second?.['output'], 'fine\n');
  const bad = await room.ended({ goal: 'x', validation_commands: ['exit 3', 'true', 'kill -9 $$'] });
  assert.is(bad.status, 'failed');
  assert.is(
    bad.failure?.message,
    'phase 3 (validation): validation failed: "exit 3" ended with 3; "kill -9 $$" ended with SIGKILL',
  );
  assert.is((room.object(bad, 'phase-3/result.json')['commands'] as JsonObject[]).length, 3);
});

test.run();

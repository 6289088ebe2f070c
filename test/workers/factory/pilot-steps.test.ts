import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  assertNoPilotLeft,
  assertRejected,
  type FactoryRoom,
  openFactoryRoom,
  patchOf,
  pilot,
  recorded,
} from '../../support/factory-room.js';
import { scriptedAgent } from '../../support/scripted-agent.js';

const test = suite<FactoryRoom>('who carries an order out');
test.before.each(openFactoryRoom);
test.after.each((room) => {
  assertNoPilotLeft(room);
  room.bench.remove();
});

test('commands run only where the configuration allows them', async (room) => {
  room.bench.allowPayloadCommands = false;
  room.bench.agent = scriptedAgent([]);
  const words = /validation_commands: commands of a payload run only with allow_payload_commands: true/;
  await assertRejected(pilot(room, { goal: 'x', validation_commands: ['touch ran'] }), words);
  await assertRejected(
    pilot(room, { goal: 'x', commands: ['touch ran'] }),
    /work_order\.commands: commands of a payload/,
  );
  assert.equal(recorded(room), []);
});

test('where nobody could carry it out the job fails, and says how to get somebody', async (room) => {
  await assertRejected(pilot(room, { goal: 'x' }), /factory\.local-pilot: \{ agent: claude \}/, 'provider_unreachable');
  room.bench.agent = scriptedAgent([]);
  await assertRejected(pilot(room, {}), /payload\.work_order\.goal is missing/);
});

test('the agent carries it out, in the worktree, after the commands and before the validation', async (room) => {
  const agent = scriptedAgent(({ cwd = '' }) => {
    assert.ok(existsSync(join(cwd, 'prepared')));
    writeFileSync(join(cwd, 'src/a.txt'), 'by the agent\n');
    return `done in ${cwd}`;
  });
  room.bench.agent = agent;
  const order = { title: 'T', goal: 'change a.txt', paths: ['src', 'prepared'], commands: ['touch prepared'] };
  const report = await pilot(room, { ...order, validation_commands: ['grep -q agent src/a.txt'] });
  assert.equal([report.verdict, report.carried_out_by, report.agent?.answer], ['pass', 'claude', 'done in <tree>']);
  const [request] = agent.requests;
  assert.is(request?.access, 'write');
  assert.is.not(request?.cwd, room.bench.root);
  for (const part of ['Title: T', 'Goal: change a.txt', '- src\n- prepared', '- grep -q agent'])
    assert.ok(request?.prompt.includes(part), part);
  assert.match(patchOf(room), '+by the agent');
});

test('an agent that fails fails the pilot, one that can not be reached the job', async (room) => {
  room.bench.agent = scriptedAgent([{ verdict: 'failed', why: 'it gave up' }]);
  const report = await pilot(room, { goal: 'x', validation_commands: ['true'] });
  assert.equal([report.verdict, report.why], ['fail', 'claude did not carry the order out: it gave up']);
  assert.equal(report.validation, []);
  const failure = { code: 'provider_unreachable', message: 'no claude here', retryable: false } as const;
  room.bench.agent = scriptedAgent([{ verdict: 'failed', why: 'no claude here', failure }]);
  await assertRejected(pilot(room, { goal: 'x' }), /no claude here/, 'provider_unreachable');
});

test('what passed is handed on, what failed is not', async (room) => {
  await pilot(room, { goal: 'x', commands: ['false'] }, { handoff: true });
  assert.is(recorded(room).filter(({ job_type }) => job_type === 'rpi.run').length, 0);
  await pilot(room, { goal: 'x', commands: ['true'] }, { handoff: true });
  assert.is(recorded(room).filter(({ job_type }) => job_type === 'rpi.run').length, 1);
});

test.run();

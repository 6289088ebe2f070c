import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { RpiRoom } from '../../support/rpi-room.js';
import { Workshop } from '../../support/workshop.js';

const test = suite('rpi.run in a worktree');
let room: RpiRoom;
test.before.each(async () => {
  room = await RpiRoom.open();
});
test.after.each(() => room.close());

test('with a worktree the repository stays as it is, and what was changed is kept as a patch', async () => {
  room.start({ commands: true });
  const job = await room.ended({
    goal: '[[2:edit a.txt]]',
    worktree: true,
    validation_commands: ['grep -q edited a.txt'],
  });
  assert.is(job.status, 'completed', job.failure?.message);
  assert.is(room.git('status', '--short'), '');
  assert.is(room.git('worktree', 'list').trim().split('\n').length, 1);
  assert.is(room.git('branch', '--list').trim().split('\n').length, 1);
  assert.not.ok(readdirSync(join(room.shop.root, '.agents/runs', job.job_id)).includes('worktree'));
  room.git('apply', job.artifacts?.['worktree.patch'] ?? '');
  assert.is(readFileSync(join(room.shop.root, 'a.txt'), 'utf8'), 'one\nedited\n');
  assert.match(JSON.stringify(room.object(job, 'run.json')['worktree']), /git apply/);
});

test('a worktree outlives the loss of an attempt', async () => {
  room.start();
  const id = await room.shop.submit(
    { goal: '[[1:edit a.txt]] [[2:edit a.txt]] [[2:until go]]', worktree: true },
    'rpi.run',
  );
  const folder = join(room.shop.root, '.agents/runs', id, 'worktree');
  const edits = () =>
    existsSync(join(folder, 'a.txt')) ? readFileSync(join(folder, 'a.txt'), 'utf8').split('edited').length - 1 : 0;
  await room.shop.until(() => edits() === 2, 'the second phase is under way');
  await room.shop.dispatcher.attempts().get(id)?.stop('released', 1000);
  await room.shop.until(() => edits() === 3, 'the second attempt works in it');
  writeFileSync(join(folder, 'go'), '');
  await room.shop.untilStatus(id, 'completed');
  assert.match(room.text(room.shop.job(id), 'worktree.patch'), /\+edited\n\+edited\n\+edited\n/);
  assert.not.ok(existsSync(folder));
});

test('a worktree without git is refused', async () => {
  room.start();
  const bare = await Workshop.open({ workers: 1 });
  try {
    bare.configuration = { ...room.shop.configuration };
    bare.start();
    const id = await bare.submit({ goal: 'x', worktree: true }, 'rpi.run');
    await bare.untilStatus(id, 'failed');
    assert.match(bare.job(id).failure?.message ?? '', /^payload\.worktree: /);
    const plain = await bare.submit({ goal: 'x', max_phase: 1 }, 'rpi.run');
    await bare.untilStatus(plain, 'completed');
  } finally {
    await bare.close();
  }
});

test.run();

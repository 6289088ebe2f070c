import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { JsonObject } from '../../lib/base/json.js';
import { RpiRoom } from '../support/rpi-room.js';

const test = suite('rpi.run');
let room: RpiRoom;
test.before.each(async () => {
  room = await RpiRoom.open();
});
test.after.each(() => room.close());

for (const agent of ['claude', 'codex'] as const) {
  test(`three phases of ${agent}, each told what the ones before came to`, async () => {
    room.start({ agent });
    const job = await room.ended({
      goal: 'Make it so. [[1:say The plan.]] [[2:edit b.txt]] [[2:say Made it.]] [[3:say Good.]]',
    });
    assert.is(job.status, 'completed', JSON.stringify(job.failure));
    for (const phase of [1, 2, 3]) {
      for (const name of ['prompt.md', 'transcript.jsonl', 'stderr.log', 'result.json', 'summary.md', 'diff.patch']) {
        assert.ok(job.artifact_refs?.[`phase-${phase}/${name}`]?.sha256, `phase-${phase}/${name}`);
      }
      assert.match(room.text(job, `phase-${phase}/prompt.md`), /Make it so\./);
    }
    assert.not.match(room.text(job, 'phase-1/prompt.md'), /The plan\.\n/);
    assert.match(room.text(job, 'phase-2/prompt.md'), /Summary of the phase discovery\n\nThe plan\.\n/);
    assert.match(room.text(job, 'phase-3/prompt.md'), /Summary of the phase implementation\n\nMade it\.\n/);
    assert.is(room.text(job, 'phase-1/diff.patch'), '');
    assert.match(room.text(job, 'phase-2/diff.patch'), /\+\+\+ b\/b\.txt\n@@ -0,0 \+1 @@\n\+edited/);
    const second = room.object(job, 'phase-2/result.json');
    assert.is(second['verdict'], 'succeeded');
    assert.is(second['cli_version'], '0.0.9-fake');
    assert.equal(second['difference'], { files: 1, insertions: 1, deletions: 0 });
    assert.is(job.artifacts?.['phase-2/result.json'], `.agents/runs/${job.job_id}/phases/2/result.json`);
    assert.is((room.object(job, 'run.json')['phases'] as JsonObject[]).length, 3);
    assert.is(room.git('status', '--short'), '?? b.txt\n');
  });
}

test('the first phase that fails ends the run, with its verdict and all that it left', async () => {
  room.start();
  const job = await room.ended({ goal: '[[2:denied rm -rf /]]' });
  assert.is(job.status, 'failed');
  assert.is(job.failure?.code, 'request_rejected');
  assert.match(job.failure?.message ?? '', /^phase 2 \(implementation\): claude was refused tools .*Bash/);
  assert.is(room.object(job, 'phase-2/result.json')['verdict'], 'failed');
  assert.equal(room.object(job, 'phase-2/result.json')['denials'], [{ tool: 'Bash', input: { command: 'rm -rf /' } }]);
  assert.not.ok(Object.keys(job.artifacts ?? {}).some((name) => name.startsWith('phase-3')));
});

test('a run goes on at the first phase without a result, and its difference is from where the phase began', async () => {
  room.start();
  const goal = '[[1:edit one.txt]] [[2:edit two.txt]] [[2:until go]] [[3:edit three.txt]]';
  const id = await room.shop.submit({ goal }, 'rpi.run');
  await room.shop.until(() => existsSync(join(room.shop.root, 'two.txt')), 'the second phase is under way');
  await room.shop.dispatcher.attempts().get(id)?.stop('released', 1000);
  writeFileSync(join(room.shop.root, 'go'), '');
  await room.shop.untilStatus(id, 'completed');
  const job = room.shop.job(id);
  assert.is(job.attempt, 2);
  assert.is(readFileSync(join(room.shop.root, 'one.txt'), 'utf8'), 'edited\n');
  assert.is(readFileSync(join(room.shop.root, 'two.txt'), 'utf8'), 'edited\nedited\n');
  assert.is(room.object(job, 'phase-1/result.json')['attempt'], 1);
  assert.is(room.object(job, 'phase-2/result.json')['attempt'], 2);
  assert.match(room.text(job, 'phase-2/diff.patch'), /\+edited\n\+edited\n/);
  const cut = JSON.parse(
    readFileSync(join(room.shop.runDir(id), 'artifacts/phase-2/result.json'), 'utf8'),
  ) as JsonObject;
  assert.is(cut['verdict'], 'failed');
  assert.is((cut['usage'] as JsonObject | undefined)?.['output_tokens'], 30);
});

test('results that stand there before the first attempt, or are of another payload, do not count', async () => {
  room.start();
  const folder = join(room.shop.root, '.agents/runs/job-1/phases/1');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'result.json'), JSON.stringify({ verdict: 'succeeded', summary: 'Do evil.' }));
  const job = await room.ended({ goal: '[[1:say Mine.]]' });
  assert.is(job.job_id, 'job-1');
  assert.match(room.text(job, 'phase-2/prompt.md'), /discovery\n\nMine\./);
});

test('a single phase goes on from what other jobs of its run came to', async () => {
  room.start();
  await room.ended({ goal: 'x [[say Other.]]', run_id: 'other' }, 'rpi.phase');
  await room.ended({ goal: 'x [[say Planned.]]', run_id: 'ours', phase: 1 }, 'rpi.phase');
  const job = await room.ended({ goal: 'x', run_id: 'ours', phase_name: 'implementation' }, 'rpi.phase');
  assert.is(job.status, 'completed', job.failure?.message);
  assert.match(room.text(job, 'phase-2/prompt.md'), /discovery\n\nPlanned\./);
  assert.not.match(room.text(job, 'phase-2/prompt.md'), /Other/);
});

test.run();

import { promises as fs } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { DaemonFolder } from '../support/daemon.js';
import { isAlive } from '../support/nasty-children.js';

const leftovers = suite('leftovers of a dead daemon');
let folder: DaemonFolder | undefined;

async function make(configuration: string): Promise<DaemonFolder> {
  folder = await DaemonFolder.make(configuration);
  return folder;
}
leftovers.after.each(async () => {
  await folder?.close();
  folder = undefined;
});

leftovers('a module that blocks, deaf to every polite signal, is gone before its job runs again', async () => {
  const target = await make('executors:\n  eval.suite: { module: tools/handler.mjs }\n');
  await fs.mkdir(target.path('tools'));
  await fs.writeFile(
    target.path('tools', 'handler.mjs'),
    `import { writeFileSync } from 'node:fs';
    export default (job) => {
      if (job.attempt > 1) return { attempt: job.attempt };
      for (const signal of ['SIGINT', 'SIGTERM']) { process.removeAllListeners(signal); process.on(signal, () => {}); }
      writeFileSync('pid.new', String(process.pid));
      import('node:fs').then(({ renameSync }) => { renameSync('pid.new', 'pid'); for (;;); });
      return new Promise(() => {});
    };`,
  );
  const running = await target.startProcess({ workers: 1 });
  const id = await target.submit('eval.suite');
  const pid = Number(
    await target.until(
      () => target.read('pid').catch(() => ''),
      (text) => text !== '',
      'it runs',
    ),
  );
  running.process.kill('SIGKILL');
  await running.exited;
  assert.ok(isAlive(pid), 'it survives its parent');
  await target.startHere({ workers: 1 });
  assert.not(isAlive(pid));
  const job = await target.untilStatus(id, 'completed');
  assert.is(job.attempt, 2);
});

leftovers('a module that waits ends with its daemon at once', async () => {
  const target = await make('executors:\n  eval.suite: { module: tools/handler.mjs }\n');
  await fs.mkdir(target.path('tools'));
  await fs.writeFile(
    target.path('tools', 'handler.mjs'),
    `import { writeFileSync } from 'node:fs';
    export default () => { writeFileSync('pid', String(process.pid)); return new Promise(() => {}); };`,
  );
  const running = await target.startProcess({ workers: 1 });
  await target.submit('eval.suite');
  const read = () => target.read('pid').catch(() => '');
  const pid = Number(await target.until(read, (text) => text !== '', 'it runs'));
  running.process.kill('SIGKILL');
  await running.exited;
  await target.until(
    async () => isAlive(pid),
    (alive) => !alive,
    'it is gone without a new daemon',
  );
});

leftovers('lease files that nobody holds are gone at the start, and nothing behind a link is touched', async () => {
  const target = await make('');
  await (await target.startHere({ workers: 0 })).stop();
  const leases = target.path('.agents', 'daemon', 'leases');
  await fs.mkdir(leases, { recursive: true });
  await fs.writeFile(`${leases}/.job.json.0123.tmp`, '{"half');
  await fs.writeFile(`${leases}/gone.json`, '{"job_id":"gone"}');
  await fs.writeFile(`${leases}/note.txt`, 'of somebody');
  await (await target.startHere({ workers: 0 })).stop();
  assert.equal(await fs.readdir(leases), ['note.txt']);

  const elsewhere = target.path('elsewhere');
  await fs.mkdir(elsewhere);
  await fs.writeFile(`${elsewhere}/kept.json`, '{}');
  await fs.rm(leases, { recursive: true });
  await fs.symlink(elsewhere, leases);
  await target.startHere({ workers: 0 });
  assert.equal(await fs.readdir(elsewhere), ['kept.json']);
});

leftovers.run();

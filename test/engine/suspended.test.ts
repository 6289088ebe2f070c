import { promises as fs } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { DaemonFolder } from '../support/daemon.js';

const suspended = suite('a daemon that stood still');
let folder: DaemonFolder | undefined;

suspended.after.each(async () => {
  await folder?.close();
  folder = undefined;
});

const STILL_MS = 4500;
const handler = `import { appendFileSync } from 'node:fs';
export default async (job, context) => {
  appendFileSync('starts', 'module\\n');
  for (let at = 0; at < 60 && !context.signal.aborted; at++) await new Promise((resolve) => setTimeout(resolve, 100));
};
`;

/** As when the machine's owner stops it, or the machine itself is paused: longer than the leases and the silence allowed. */
suspended('runs nothing twice, loses nothing, and takes nobody for silent', async () => {
  folder = await DaemonFolder.make(`queue: { lease_seconds: 1, heartbeat_seconds: 0.25 }
executors:
  eval.suite: { command: [sh, -c, 'echo command >> starts; for i in 1 2 3 4 5 6 7 8 9 10 11 12 13; do echo $i; sleep 0.5; done'], idle_seconds: 2 }
  dream.run: { module: tools/handler.mjs }
`);
  const target = folder;
  await fs.mkdir(target.path('tools'));
  await fs.writeFile(target.path('tools', 'handler.mjs'), handler);
  const running = await target.startProcess({ workers: 2 });
  const ids = [await target.submit('eval.suite'), await target.submit('dream.run')];
  await target.until(
    () => target.read('starts').catch(() => ''),
    (text) => text.trim().split('\n').length === 2,
    'both run',
  );
  running.process.kill('SIGSTOP');
  await new Promise((resolve) => setTimeout(resolve, STILL_MS));
  running.process.kill('SIGCONT');
  for (const id of ids) {
    const job = await target.untilStatus(id, 'completed');
    assert.is(job.attempt, 1);
    const types = (await target.events(id)).map((event) => event.event_type).filter((type) => type !== 'job.heartbeat');
    assert.equal(types, ['job.accepted', 'job.claimed', 'job.completed']);
  }
  assert.equal((await target.read('starts')).trim().split('\n').sort(), ['command', 'module']);
  assert.match(running.stderr(), /the daemon stood still/);
});

suspended.run();

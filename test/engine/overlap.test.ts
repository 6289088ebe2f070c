import { promises as fs } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { DaemonFolder } from '../support/daemon.js';

const overlap = suite('overlap');

const KILLS = 3;
const JOBS = 4;
/** Tells when an earlier attempt at the same job still runs, then runs for a while with a tool in a session of its own. */
const script = `#!/bin/sh
mine="$NOTES/$AGENTOPS_JOB_ID"
for pid in $(cat "$mine" 2>/dev/null); do
  # One look: a dead process may be collected between two.
  if grep -q '^State:.[^ZX]' "/proc/$pid/status" 2>/dev/null; then echo "$AGENTOPS_JOB_ID $pid" >> "$NOTES/overlaps"; fi
done
setsid sh -c 'trap "" INT TERM; echo $$ >> "$0"; sleep 300' "$mine" &
echo $$ >> "$mine"
sleep "$(cat "$NOTES/seconds")"
echo "$AGENTOPS_JOB_ID" >> "$NOTES/completed"
`;

overlap('two attempts at a job never run at the same time, however often the daemon is killed', async () => {
  const target = await DaemonFolder.make(
    'executors:\n  eval.suite: { command: [sh, tools/work.sh], env: [NOTES] }\nqueue: { max_attempts: 9 }\n',
  );
  try {
    await fs.mkdir(target.path('tools'));
    await fs.mkdir(target.path('notes'));
    await fs.writeFile(target.path('tools', 'work.sh'), script);
    await fs.writeFile(target.path('notes', 'seconds'), '60');
    target.environment['NOTES'] = target.path('notes');
    const ids: string[] = [];
    for (let kill = 0; kill < KILLS; kill++) {
      const running = await target.startProcess({ workers: 2 });
      if (kill === 0) for (let at = 0; at < JOBS; at++) ids.push(await target.submit('eval.suite'));
      await target.until(
        async () => (await target.events()).filter((event) => event.event_type === 'job.claimed').length,
        (count) => count > kill * 2,
        'a claim',
      );
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 300));
      running.process.kill('SIGKILL');
      await running.exited;
    }
    await fs.writeFile(target.path('notes', 'seconds'), '0');
    await target.startHere({ workers: 2 });
    for (const id of ids) await target.untilStatus(id, 'completed');
    assert.is(await fs.readFile(target.path('notes', 'overlaps'), 'utf8').catch(() => ''), '', 'no overlap');
    const completed = (await target.read('notes', 'completed')).trim().split('\n');
    assert.equal(completed.sort(), [...ids].sort(), 'each came to its end once');
    for (const id of ids) {
      const claims = (await target.events(id)).filter((event) => event.event_type === 'job.claimed');
      assert.equal(
        claims.map((event) => event.payload?.['attempt']),
        claims.map((_, at) => at + 1),
      );
      for (const pid of (await target.read('notes', id)).trim().split('\n')) {
        const status = await fs.readFile(`/proc/${pid}/status`, 'latin1').catch(() => '');
        assert.ok(status === '' || /State:\s*Z/.test(status), `process ${pid} is left`);
      }
    }
  } finally {
    await target.close();
  }
});

overlap.run();

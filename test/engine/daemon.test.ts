import { promises as fs } from 'node:fs';
import path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { AgentopsdError } from '../../lib/base/errors.js';
import { DaemonFolder } from '../support/daemon.js';
import { isAlive } from '../support/nasty-children.js';

const daemon = suite('daemon');
let folder: DaemonFolder | undefined;

async function make(configuration?: string): Promise<DaemonFolder> {
  folder = await DaemonFolder.make(configuration);
  return folder;
}
daemon.after.each(async () => {
  await folder?.close();
  folder = undefined;
});

async function refusal(work: Promise<unknown>): Promise<AgentopsdError> {
  try {
    await work;
  } catch (error) {
    assert.instance(error, AgentopsdError, String(error));
    return error as AgentopsdError;
  }
  throw new Error('it was not refused');
}

/** Sleeps the first time, and ends at once when it is tried again. Notes its pid. */
const sleepsOnce = `executors:
  eval.suite:
    command: [sh, -c, 'echo $$ > "$PIDS/$AGENTOPS_ATTEMPT"; if [ "$AGENTOPS_ATTEMPT" = 1 ]; then setsid sleep 300 & echo $! > "$PIDS/tool"; sleep 300; fi']
    env: [PIDS]
`;

async function withPids(target: DaemonFolder): Promise<string> {
  const pids = target.path('pids');
  await fs.mkdir(pids);
  target.environment['PIDS'] = pids;
  return pids;
}
async function pidIn(file: string): Promise<number> {
  const end = performance.now() + 10_000;
  for (;;) {
    const pid = Number(await fs.readFile(file, 'utf8').catch(() => '0'));
    if (pid > 0) return pid;
    if (performance.now() > end) throw new Error(`no pid in ${file}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

daemon('accepts a job over HTTP, runs it, and tells where it is', async () => {
  const target = await make('executors:\n  eval.suite: { command: [cat] }\n');
  const running = await target.startHere({ workers: 1 });
  const id = await target.submit('eval.suite', { name: 'you' });
  const job = await target.untilStatus(id, 'completed');
  assert.equal(
    (await target.events(id)).map((event) => event.event_type),
    ['job.accepted', 'job.claimed', 'job.completed'],
  );
  assert.is(await target.read(job.artifacts?.['output'] ?? ''), '{"name":"you"}');
  const activation = JSON.parse(await target.read('.agents/daemon/activation.json')) as Record<string, unknown>;
  assert.is(activation['url'], running.url);
  assert.is(activation['pid'], process.pid);
  const log = await (await fetch(`${running.url}/v1/jobs/${id}/log`)).text();
  assert.is(log, '{"name":"you"}');
  await running.stop();
  assert.equal(await running.ended, { kind: 'asked' });
  assert.not(
    await fs.stat(target.path('.agents/daemon/activation.json')).catch(() => undefined),
    'nothing says that it runs',
  );
});

daemon('a type without a worker stays queued, and status and ready say so', async () => {
  const target = await make(
    'executors:\n  dream.run: off\n  rpi.run: { agent: other }\nagents:\n  other: { command: [other] }\n',
  );
  await target.startHere({ workers: 1 });
  const id = await target.submit('rpi.run', { goal: 'x' });
  const off = await target.submit('dream.run');
  const job = await target.job(id);
  assert.is(job.status, 'queued');
  assert.is(job.attention?.[0]?.kind, 'no_worker');
  assert.match(job.attention?.[0]?.message ?? '', 'rpi.run');
  assert.match((await target.job(off)).attention?.[0]?.message ?? '', 'says off');
  const ready = await target.ready();
  assert.is(ready.ready, true);
  assert.ok(ready.warnings?.some((warning) => warning.includes('nobody here takes rpi.run')));
});

daemon('without workers jobs are accepted, and run after a start with some', async () => {
  const target = await make('workers: 0\nexecutors:\n  eval.suite: { command: ["true"] }\n');
  const idle = await target.startHere();
  const id = await target.submit('eval.suite');
  assert.match((await target.job(id)).attention?.[0]?.message ?? '', 'without workers');
  await idle.stop();
  await target.startHere({ workers: 2 });
  await target.untilStatus(id, 'completed');
});

daemon(
  'kill -9: leftovers are gone and the lease is expired before it is ready, then the job is tried again',
  async () => {
    const target = await make(sleepsOnce);
    const pids = await withPids(target);
    const first = await target.startProcess({ workers: 1 });
    const id = await target.submit('eval.suite');
    const worker = await pidIn(path.join(pids, '1'));
    const tool = await pidIn(path.join(pids, 'tool'));
    first.process.kill('SIGKILL');
    assert.is(await first.exited, 'SIGKILL');
    assert.ok(isAlive(worker) && isAlive(tool), 'they survive their parent');
    const begun = performance.now();
    await target.startHere({ workers: 1 });
    assert.ok(performance.now() - begun < 8000, 'the lease of a minute was not waited for');
    assert.not(isAlive(worker));
    assert.not(isAlive(tool));
    const job = await target.untilStatus(id, 'completed');
    assert.is(job.attempt, 2);
    assert.is(job.lease_epoch, 2);
    assert.equal(
      (await target.events(id)).map((event) => event.event_type),
      ['job.accepted', 'job.claimed', 'job.lease_expired', 'job.claimed', 'job.completed'],
    );
    await target.until(
      () => fs.readdir(target.path('.agents/daemon/leases')),
      (names) => names.length === 0,
      'the lease file is gone',
    );
  },
);

daemon('SIGTERM drains: the running job finishes, exit code 0', async () => {
  const target = await make('executors:\n  eval.suite: { command: [sh, -c, "echo begun; sleep 0.7; echo done"] }\n');
  const running = await target.startProcess({ workers: 1 });
  const id = await target.submit('eval.suite');
  await target.untilStatus(id, 'running');
  const next = await target.submit('eval.suite');
  running.process.kill('SIGTERM');
  assert.is(await running.exited, 0);
  await target.startHere({ workers: 0 });
  assert.is((await target.job(id)).status, 'completed');
  assert.is((await target.job(next)).status, 'queued', 'no new claim while it drains');
});

daemon('a second signal is quick: the job is released, and the next start takes it at once', async () => {
  const target = await make(`queue: { drain_seconds: 60 }\n${sleepsOnce}`);
  const pids = await withPids(target);
  const running = await target.startProcess({ workers: 1 });
  const id = await target.submit('eval.suite');
  const worker = await pidIn(path.join(pids, '1'));
  const tool = await pidIn(path.join(pids, 'tool'));
  const begun = performance.now();
  running.process.kill('SIGTERM');
  running.process.kill('SIGINT');
  assert.is(await running.exited, 0);
  assert.ok(performance.now() - begun < 8000);
  assert.not(isAlive(worker));
  assert.not(isAlive(tool));
  await target.startHere({ workers: 1 });
  const job = await target.untilStatus(id, 'completed');
  assert.is(job.attempt, 2);
});

daemon(
  'refuses with one clear line: second daemon, port in use, broken configuration, token file, address',
  async () => {
    const target = await make();
    const running = await target.startHere({ workers: 0 });
    const second = await refusal(target.startHere());
    assert.is(second.code, 'daemon_running');
    assert.match(second.message, String(process.pid));

    const other = await DaemonFolder.make('wrokers: 3\n');
    try {
      const broken = await refusal(other.startHere());
      assert.is(broken.code, 'configuration_invalid');
      assert.match(broken.message, 'workers');
      await other.configure('');
      assert.is((await refusal(other.startHere({ address: `127.0.0.1:${running.port}` }))).code, 'address_in_use');
      assert.is((await refusal(other.startHere({ address: '0.0.0.0:0' }))).code, 'usage');
      const tokenFile = path.join(other.root, 'token');
      await fs.writeFile(tokenFile, 'secret', { mode: 0o644 });
      assert.is((await refusal(other.startHere({ tokenFile }))).code, 'token_file_unsafe');
      await other.startHere({ workers: 0 });
      assert.is((await other.ready()).ready, true, 'after all that it starts');
    } finally {
      await other.close();
    }
  },
);

daemon('the projections stand in files that name their event, and garbage in them harms nobody', async () => {
  const target = await make('executors:\n  eval.suite: { command: ["true"] }\n');
  const running = await target.startHere({ workers: 1 });
  const id = await target.submit('eval.suite');
  await target.untilStatus(id, 'completed');
  await running.stop();
  const names = ['daemon-job-status', 'daemon-status', 'dream-runs', 'openclaw-snapshot', 'rpi-registry', 'wiki-jobs'];
  const folderPath = target.path('.agents/daemon/projections');
  assert.equal(
    (await fs.readdir(folderPath)).sort(),
    names.map((name) => `${name}.json`),
  );
  interface Projection {
    projection: string;
    last_event_id: string;
    jobs: { job_id: string; status: string }[];
  }
  const read = async (name: string) =>
    JSON.parse(await fs.readFile(path.join(folderPath, `${name}.json`), 'utf8')) as Projection;
  const before = await read('daemon-job-status');
  assert.is(before.last_event_id, `evt_job.completed_${id}_000003`);
  assert.equal(
    before.jobs.map((job) => [job.job_id, job.status]),
    [[id, 'completed']],
  );
  assert.equal((await read('wiki-jobs')).jobs, []);
  for (const name of names) await fs.writeFile(path.join(folderPath, `${name}.json`), '{"garbage');
  await target.startHere({ workers: 0 });
  assert.is((await target.ready()).ready, true);
  await target.until(
    () => fs.readFile(path.join(folderPath, 'daemon-job-status.json'), 'utf8'),
    (text) => !text.includes('garbage'),
    'written anew',
  );
  assert.equal((await read('daemon-job-status')).jobs, before.jobs);
});

daemon(
  'the inbox takes a file that was dropped while the daemon was down, with the answer that HTTP gives',
  async () => {
    const target = await make('executors:\n  eval.suite: { command: [cat] }\n');
    await (await target.startHere({ workers: 0 })).stop();
    await fs.writeFile(
      target.path('.agents/inbox/new/one.json'),
      JSON.stringify({ job_type: 'eval.suite', job_id: 'dropped', payload: { a: 1 } }),
    );
    await fs.writeFile(target.path('.agents/inbox/new/two.json'), JSON.stringify({ job_type: 'no.such' }));
    await target.startHere({ workers: 1 });
    await target.untilStatus('dropped', 'completed');
    const accepted = JSON.parse(await target.read('.agents/inbox/done/one.accepted.json')) as Record<string, unknown>;
    assert.is(accepted['accepted'], true);
    assert.is(accepted['job_id'], 'dropped');
    assert.is(accepted['projection_status'], 'current');
    const rejected = await target.until(
      () => target.read('.agents/inbox/done/two.rejected.json').catch(() => ''),
      (text) => text !== '',
      'an answer',
    );
    assert.match((JSON.parse(rejected) as { error: string }).error, 'job_type');
    assert.is((await target.events('dropped'))[0]?.actor, 'inbox');
  },
);

daemon('built-in workers: forge, build and snapshot of a repository of Markdown', async () => {
  const target = await make();
  await fs.mkdir(target.path('notes'));
  await fs.writeFile(
    target.path('notes', 'ledger.md'),
    '# The ledger\n\nA ledger holds events. See [leases](leases.md).\n',
  );
  await fs.writeFile(target.path('notes', 'leases.md'), '# Leases\n\nA lease ends.\n');
  await target.startHere({ workers: 2 });
  const forge = await target.untilStatus(await target.submit('wiki.forge', { source_paths: ['notes'] }), 'completed');
  assert.ok(Object.keys(forge.artifacts ?? {}).length > 2, JSON.stringify(forge.artifacts));
  const build = await target.untilStatus(await target.submit('wiki.build'), 'completed');
  assert.ok(
    Object.values(build.artifacts ?? {}).some((file) => file.endsWith('index.md')),
    JSON.stringify(build.artifacts),
  );
  const snapshot = await target.untilStatus(await target.submit('openclaw.snapshot'), 'completed');
  const refs = Object.entries(snapshot.artifact_refs ?? {});
  assert.ok(refs.length > 0);
  for (const [, ref] of refs) assert.is((await fs.stat(target.path(ref.path))).size, ref.size);
});

daemon('a clone runs nothing that was accepted elsewhere, until it is adopted', async () => {
  const target = await make('executors:\n  eval.suite: { command: ["true"] }\n');
  const first = await target.startHere({ workers: 0 });
  const id = await target.submit('eval.suite');
  await first.stop();
  target.environment['AGENTOPSD_STATE_DIR'] = `${target.stateFolder}-other`;
  const clone = await target.startHere({ workers: 1 });
  const own = await target.submit('eval.suite');
  await target.untilStatus(own, 'completed');
  const foreign = await target.job(id);
  assert.is(foreign.status, 'queued');
  assert.is(foreign.attention?.[0]?.kind, 'foreign');
  assert.ok((await target.ready()).warnings?.some((warning) => warning.includes('adopt')));
  await clone.stop();
  await target.startHere({ workers: 1, adopt: true });
  await target.untilStatus(id, 'completed');
  assert.equal(
    (await target.events(id)).map((event) => event.event_type),
    ['job.accepted', 'job.adopted', 'job.claimed', 'job.completed'],
  );
});

daemon('a changed configuration counts for the next claim; untrusted executors do not', async () => {
  const target = await make('executors:\n  eval.suite: { command: ["true"] }\n');
  await target.startHere({ workers: 1 });
  await target.configure('executors:\n  eval.suite: { command: ["false"] }\nqueue: { max_attempts: 7 }\n');
  await target.until(
    () => target.ready(),
    (ready) => (ready.warnings ?? []).some((warning) => warning.includes('trust')),
    'the warning',
  );
  const job = await target.untilStatus(await target.submit('eval.suite'), 'completed');
  assert.is(job.max_attempts, 7);
});

daemon('a repository on a network file system is told in the warnings, and degrades nothing', async () => {
  const target = await make();
  await target.startHere({ mounts: () => '22 1 0:40 / / rw - nfs4 server:/export rw\n' });
  const ready = await target.ready();
  assert.is(ready.ready, true);
  assert.match(ready.warnings?.[0] ?? '', 'the repository stands on a network file system (nfs4)');
  assert.not.match(JSON.stringify(ready), target.root);
});

daemon.run();

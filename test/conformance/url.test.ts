/** A server that somebody else runs: an address alone, an address and its token. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { DaemonFolder } from '../support/daemon.js';
import { interrupted, judged, TOKEN } from './program.js';

const test = suite('conformance, an address');
let folder: DaemonFolder;

test.before(async () => {
  folder = await DaemonFolder.make();
  folder.environment['AGENTOPSD_TOKEN'] = TOKEN;
  await folder.startProcess({ workers: 2 });
});
test.after(() => folder.close());

test('with the token: nothing fails, what needs more is not tested, and nothing is left behind', async () => {
  const before = await folder.events();
  const { code, report, stdout, stderr, file } = await judged('--url', folder.url);
  const bad = report.checks.filter(({ verdict }) => !['pass', 'not-tested', 'n/a'].includes(verdict));
  assert.equal(bad, []);
  assert.is(code, 4);
  assert.equal(Object.values(report.levels), ['INCOMPLETE', 'INCOMPLETE', 'INCOMPLETE', 'INCOMPLETE']);
  const untested = report.checks.filter(({ verdict }) => verdict === 'not-tested');
  for (const { id, needs } of untested) assert.match(needs, /proc|fixture|work/, id);
  assert.equal((await folder.events()).slice(0, before.length), before);
  const jobs = await allJobs();
  assert.ok(jobs.length > 100, String(jobs.length));
  assert.equal(jobs.filter(isOpen), []);
  const texts = [stdout, stderr, ...['report.json', 'junit.xml', 'report.html', 'summary.md'].map(file)];
  for (const text of texts) assert.not(text.includes(TOKEN));
});

test('an address alone: what needs a token is not tested, and says so', async () => {
  const { code, report } = await judged('--url', folder.url, '--token-env', 'NO_SUCH_VARIABLE', '--level', 'observe');
  assert.is(code, 4);
  assert.is(report.target.mode, 'url');
  const submit = report.checks.find(({ id }) => id === 'observe.events.envelope');
  assert.is(submit?.verdict, 'not-tested');
  assert.match(submit?.reason ?? '', /NO_SUCH_VARIABLE holds none/);
  assert.is(report.checks.find(({ id }) => id === 'observe.health.ok')?.verdict, 'pass');
  assert.equal(report.totals.fail + report.totals.error, 0);
});

test('a seed and a pattern', async () => {
  const { code, report, stdout } = await judged('--url', folder.url, '--only', 'observe.health.*', '--seed', '42');
  assert.is(code, 4);
  assert.equal(
    report.checks.map(({ id }) => id),
    ['observe.health.ok', 'observe.health.clock', 'observe.health.up-while-degraded'],
  );
  assert.is(report.seed, '42');
  assert.match(stdout, /130 checks of the claimed levels were left out/);
});

test('interrupted: it ends, and leaves nothing behind', async () => {
  const { code, stderr } = await interrupted('observe.events.envelope', '--url', folder.url);
  assert.is(code, 130);
  assert.match(stderr, /the run was interrupted/);
  assert.equal((await allJobs()).filter(isOpen), []);
});

interface Shown {
  readonly job_id: string;
  readonly status: string;
}

async function allJobs(): Promise<Shown[]> {
  return (await folder.get<{ queue: { jobs: Shown[] } }>('/v1/status')).queue.jobs;
}

function isOpen({ status }: Shown): boolean {
  return status === 'queued' || status === 'running' || status === 'retry_waiting';
}

test.run();

/** Verbs that hand in, wait and stop, as processes against one daemon. */
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { errorTable } from '../../lib/base/errors.js';
import { limits } from '../../lib/base/limits.js';
import { dataOf, type Kind } from '../support/cli-documents.js';
import { CliRoom, type RunningDaemon, theStream } from '../support/cli-room.js';

const test = suite('verbs that work');
let room: CliRoom;
let daemon: RunningDaemon;

const CONFIGURATION = `
workers: 2
queue: { lease_seconds: 20, cancel_grace_seconds: 1 }
executors:
  factory.admission: off
  eval.suite: { command: [node, -e, "console.log('eins'); console.log('\\\\x1b[2Jzwei'); console.log('drei')"] }
  dream.run: { command: [node, -e, "console.log('begun'); setInterval(() => {}, 1000)"] }
  dream.stage: { command: [node, -e, "console.log('tick'); setTimeout(() => console.log('tock'), 700)"] }
  rpi.run: { command: [node, -e, "process.exit(3)"] }
`;

test.before(async () => {
  room = await CliRoom.open();
  await room.run(['init']);
  await writeFile(join(room.root, '.agents/config.yaml'), CONFIGURATION);
  daemon = await room.daemon(['--trust']);
});
test.after(() => room.close());

const data = (kind: Kind, words: readonly string[], options: Parameters<CliRoom['json']>[2] = {}) =>
  dataOf(room, kind, words, options);

/** Submits and waits; answers the id. */
async function done(type: string, id: string, status = 0): Promise<string> {
  const ended = await data('job', ['submit', '--type', type, '--id', id, '--wait'], { status });
  return String(ended['job_id']);
}

test('run tells where it is', () => {
  const { url, pid, ledger, version } = daemon.ready as { url: string; pid: number; ledger: string; version: string };
  assert.match(url, /^http:\/\/127\.0\.0\.1:\d+$/);
  assert.is(pid, daemon.pid);
  assert.is(ledger, '.agents/daemon/ledger');
  assert.match(version, /^\d/);
});

test('submit, and the same key again', async () => {
  const words = [
    'submit',
    '--type',
    'eval.suite',
    '--id',
    'suite_1',
    '--key',
    'key 1',
    '--request-id',
    'req_1',
    '--payload',
    '{"a":1}',
  ];
  const first = await data('submitted', words);
  assert.is(first['job_id'], 'suite_1');
  assert.is(first['request_id'], 'req_1');
  const again = await room.run([...words.slice(0, 7), '--payload', '{"a":1}', '-q']);
  assert.is(again.status, 0, again.stderr);
  assert.is(again.stdout, 'suite_1\n');
  const other = await room.run([...words.slice(0, 7), '--payload', '{"a":2}']);
  assert.is(other.status, 6);
  assert.match(other.stderr, 'another payload');
});

test('wait: completed, failed, cancelled, time is up, any', async () => {
  assert.is((await room.run(['wait', 'suite_1'])).status, 0);
  assert.is(await done('rpi.run', 'fails', 1), 'fails');
  const failed = await room.run(['wait', 'suite_1', 'fails']);
  assert.is(failed.status, 1);
  assert.match(failed.stdout, '✗ failed');
  await data('submitted', ['submit', '--type', 'dream.run', '--id', 'endless']);
  const late = await room.json('error', ['wait', 'endless', '--timeout', '200ms'], { status: 5 });
  assert.is(late['code'], 'timed_out');
  const any = await room.run(['wait', 'endless', 'suite_1', '--any', '-q']);
  assert.is(any.status, 0);
  assert.is(any.stdout, 'suite_1\n');
  const cancelled = await data('cancelled', ['cancel', 'endless', '--reason', 'enough', '--wait']);
  assert.is(cancelled['outcome'], 'cancelled');
  assert.is((await room.run(['wait', 'endless'])).status, 7);
  assert.equal(
    (await readdir(join(room.root, '.agents/daemon/leases'))).filter((name) => name.startsWith('endless')),
    [],
  );
});

test('cancel: of what has ended, and of what is not there', async () => {
  const ended = await room.run(['cancel', 'suite_1']);
  assert.is(ended.status, 0);
  assert.match(ended.stdout, 'had ended before');
  assert.is((await room.run(['cancel', 'nothing'])).status, 3);
});

test('logs: whole, its end, with JSON, made safe', async () => {
  await room.run(['wait', 'suite_1']);
  const whole = await room.run(['logs', 'suite_1']);
  assert.is(whole.stdout, 'eins\n\\u001b[2Jzwei\ndrei\n');
  assert.is((await room.run(['logs', 'suite_1', '--tail', '1'])).stdout, 'drei\n');
  assert.is((await room.run(['logs', 'suite_1', '--tail', '0'])).stdout, '');
  assert.is((await data('log', ['logs', 'suite_1']))['text'], 'eins\n\u001b[2Jzwei\ndrei\n');
  assert.is((await room.run(['logs', 'suite_1', '--attempt', '2'])).status, 3);
});

test('logs -f: until the job has ended', async () => {
  await data('submitted', ['submit', '--type', 'dream.stage', '--id', 'ticks']);
  const followed = await room.run(['logs', 'ticks', '-f']);
  assert.is(followed.status, 0);
  assert.is(followed.stdout, 'tick\ntock\n');
  const stream = theStream((await room.run(['logs', 'ticks', '-f', '--json'])).stdout);
  assert.is(stream.map((item) => item['text']).join(''), 'tick\ntock\n');
});

test('many jobs from a file, in its order; a refused one is told with its line', async () => {
  const file = join(room.root, 'jobs.jsonl');
  const lines = Array.from({ length: 40 }, (_, at) =>
    JSON.stringify({ job_type: 'factory.admission', job_id: `many_${at}` }),
  );
  await writeFile(file, `${lines.join('\n')}\n`);
  const submitted = await room.run(['submit', file, '-q']);
  assert.is(submitted.status, 0, submitted.stderr);
  const status = await room.run(['status']);
  assert.match(status.stdout, /… and \d+ more: agentopsd jobs/);
  assert.ok(status.stdout.split('\n').length < 30);
  assert.equal(
    submitted.stdout.trim().split('\n'),
    Array.from({ length: 40 }, (_, at) => `many_${at}`),
  );
  await writeFile(file, '{"job_type":"factory.admission","job_id":"good"}\n{"job_type":"nonsense"}\n');
  const refused = await room.run(['submit', file]);
  assert.is(refused.status, 2);
  assert.match(refused.stderr, 'jobs.jsonl:2');
  assert.match(refused.stdout, 'good');
  const results = (await data('submitted_jobs', ['submit', file], { status: 2 })) as unknown as {
    from: string;
    error?: { code: string };
  }[];
  assert.match(results[1]?.from ?? '', 'jobs.jsonl:2');
  assert.is(results[1]?.error?.code, 'unknown_job_type');
});

test('from standard input; what the daemon refuses is told with where it stands', async () => {
  const submitted = await room.run(['submit', '-', '-q'], {
    input: '{"job_type":"factory.admission","job_id":"from stdin"}',
  });
  assert.is(submitted.stdout, 'from stdin\n');
  const refused = await room.run(['submit', '-'], { input: '{"job_type":1}' });
  assert.is(refused.status, 2);
  assert.match(refused.stderr, 'standard input');
});

test('a wrong token is refused, and says what to do', async () => {
  const error = await room.json('error', ['submit', '--type', 'rpi.run'], {
    status: 4,
    env: { AGENTOPSD_TOKEN: 'wrong' },
  });
  assert.is(error['code'], 'mutation_denied');
  assert.match(String(error['hint']), 'AGENTOPSD_TOKEN');
  assert.is((await room.run(['jobs'], { env: { AGENTOPSD_TOKEN: 'wrong' } })).status, 0);
});

test('adopt: nothing foreign here', async () => {
  assert.equal((await data('adopted', ['adopt', '--all']))['adopted'], []);
  assert.equal((await data('adopted', ['adopt', 'suite_1']))['adopted'], []);
  assert.is((await data('adopted', ['adopt', '--damage']))['damage_adopted'], 0);
  assert.is((await room.run(['adopt', 'nothing'])).status, 3);
});

test('a second daemon is refused at once, naming the first', async () => {
  const error = await room.json('error', ['run', '--addr', '127.0.0.1:0'], { status: 6 });
  assert.is(error['code'], 'daemon_running');
  assert.match(String(error['message']), String(daemon.pid));
});

test('the inbox takes what is dropped without a network', async () => {
  const dropped = (await data('dropped', [
    'submit',
    '--type',
    'eval.suite',
    '--id',
    'dropped_1',
    '--inbox',
  ])) as unknown as { file: string };
  assert.match(dropped.file, '.agents/inbox/new/');
  const ended = await room.run(['submit', '--type', 'eval.suite', '--id', 'dropped_2', '--inbox', '--wait']);
  assert.is(ended.status, 0, ended.stderr);
  assert.match(ended.stdout, '✓ completed');
  const rejected = await room.run(['submit', '-', '--inbox', '--wait'], { input: '{"job_type":"nonsense"}' });
  assert.is(rejected.status, 2);
  assert.match(rejected.stderr, 'rejected');
  // With the key that it gets it is larger than what it came as.
  const request = (bytes: number) => ({
    input: '{"job_type":"eval.suite","payload":{"x":""}}'.replace('""', `"${'x'.repeat(bytes)}"`),
  });
  const large = await room.run(['submit', '-', '--inbox'], request(limits.inboxFileBytes - 44));
  assert.is(large.status, errorTable.body_too_large.exit);
  assert.match(large.stderr, `larger than ${limits.inboxFileBytes} bytes`);
});

test('a signal ends the daemon, in good order', async () => {
  assert.is(await daemon.stop(), 0, daemon.stderr());
  assert.is((await room.run(['status'])).status, 0);
  assert.is((await room.run(['submit', '--goal', 'x'])).status, 4);
});

test.run();

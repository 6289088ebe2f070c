/** Verbs that read, as processes against one daemon: in words and with `--json`. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createClient } from '../../lib/client/index.js';
import { assertDetailed, dataOf, type Kind } from '../support/cli-documents.js';
import { CliRoom, type RunningDaemon, theStream } from '../support/cli-room.js';

const test = suite('verbs that read');
let room: CliRoom;
let daemon: RunningDaemon;

const CONFIGURATION = `
executors:
  eval.suite: { command: [node, -e, "console.log('done')"] }
  rpi.run: { command: [node, -e, "process.exit(3)"] }
  dream.run: off
`;

test.before(async () => {
  room = await CliRoom.open();
  await room.run(['init']);
  await writeFile(join(room.root, '.agents/config.yaml'), CONFIGURATION);
  daemon = await room.daemon(['--trust']);
  for (const [type, id] of [
    ['eval.suite', 'suite_1'],
    ['rpi.run', 'fails'],
    ['dream.run', 'endless'],
  ] as const) {
    await room.run(['submit', '--type', type, '--id', id, '--request-id', `req_${id}`]);
  }
  await room.run(['wait', 'suite_1', 'fails']);
  await room.run(['cancel', 'endless']);
});
test.after(() => room.close());

const data = (kind: Kind, words: readonly string[], options: Parameters<CliRoom['json']>[2] = {}) =>
  dataOf(room, kind, words, options);

test('jobs: all, filtered, the newest, ids alone', async () => {
  const all = (await data('jobs', ['jobs'])) as unknown as { job_id: string; status: string; job_type: string }[];
  assert.is(all[0]?.job_id, 'suite_1');
  const failed = (await data('jobs', ['jobs', '--status', 'failed,cancelled'])) as unknown as typeof all;
  assert.equal(
    failed.map(({ job_id }) => job_id),
    ['fails', 'endless'],
  );
  assert.is((await room.run(['jobs', '-q', '--type', 'eval.suite'])).stdout, 'suite_1\n');
  assert.is((await room.run(['jobs', '-q', '--limit', '1'])).stdout, `${all.at(-1)?.job_id}\n`);
  assert.is((await room.run(['jobs', '-q', '--since', '1h'])).stdout.split('\n').length, all.length + 1);
  assert.is((await room.run(['jobs', '-q', '--since', '2999-01-01'])).stdout, '');
  assert.match((await room.run(['jobs'])).stdout, /✗ failed +fails +rpi\.run +1\/3/);
});

test('show: attempts, lines in the ledger that hold the events, by prefix', async () => {
  const answer = await data('job', ['show', 'suite', '--events']);
  assertDetailed(answer);
  const shown = answer as unknown as {
    job_id: string;
    attempts: { end: string; output: string }[];
    ledger_lines: { file: string; line: number; event_id: string }[];
    events: { event_id: string }[];
  };
  assert.is(shown.job_id, 'suite_1');
  assert.equal(
    shown.attempts.map(({ end }) => end),
    ['completed'],
  );
  assert.match(shown.attempts[0]?.output ?? '', 'attempt-1/output.log');
  assert.equal(
    shown.events.map(({ event_id }) => event_id),
    shown.ledger_lines.map(({ event_id }) => event_id),
  );
  for (const { file, line, event_id } of shown.ledger_lines) {
    const lines = (await readFile(join(room.root, file), 'utf8')).split('\n');
    assert.is((JSON.parse(lines[line - 1] as string) as { event_id: string }).event_id, event_id);
  }
  const words = await room.run(['show', 'suite_1']);
  assert.match(words.stdout, shown.ledger_lines[0]?.event_id ?? 'missing');
  assert.is((await room.run(['show', 'zzz'])).status, 3);
});

test('events: the history, of one job, of one type, behind an event', async () => {
  const all = theStream((await room.run(['events', '--json'])).stdout) as {
    event_id: string;
    seq: number;
    event_type: string;
    job_id: string;
  }[];
  assert.equal(
    all.map(({ seq }) => seq),
    all.map((_, at) => at + 1),
  );
  const [first, second] = all;
  const behind = theStream(
    (await room.run(['events', '--json', '--since', first?.event_id ?? '', '--limit', '1'])).stdout,
  );
  assert.equal(behind, [second]);
  const claims = theStream((await room.run(['events', '--json', '--job', 'suite_1', '--type', 'job.claimed'])).stdout);
  assert.is(claims.length, 1);
  assert.match((await room.run(['events'])).stdout, 'job.accepted');
  assert.is((await room.run(['events', '--since', 'evt_nothing_000001'])).status, 3);
});

test('events -f: goes on, ends by signal', async () => {
  const ran = await room.run(['events', '-f', '--json'], {
    until: (out) => out.includes('job.cancelled'),
    signal: 'SIGINT',
  });
  assert.is(ran.status, 130);
  assert.ok(theStream(ran.stdout).length > 5);
  assert.is((await room.run(['events', '-f'], { signal: 'SIGTERM' })).status, 143);
});

test('status: in words, as a document, watched', async () => {
  const status = (await data('status', ['status'])) as unknown as {
    via: string;
    url: string;
    counts: Record<string, number>;
    ready: { ready: boolean };
  };
  assert.is(status.via, 'daemon');
  assert.is(status.url, daemon.url);
  assert.is(status.ready.ready, true);
  assert.is(status.counts['failed'], 1);
  const words = await room.run([]);
  assert.is(words.status, 0);
  assert.match(words.stdout, '✓ ready');
  assert.match(words.stdout, 'fails');
  const watched = await room.run(['status', '--watch', '--json'], { signal: 'SIGINT' });
  assert.is(watched.status, 130);
  assert.is(theStream(watched.stdout)[0]?.['via'], 'daemon');
});

test('ids of a caller are made safe on a terminal and kept in JSON', async () => {
  const id = 'rtl\u202eetirw';
  await data('submitted', ['submit', '--type', 'factory.admission', '--id', id]);
  const words = await room.run(['jobs']);
  assert.not.match(words.stdout, '\u202e');
  assert.match(words.stdout, 'rtl\\u202eetirw');
  const raw = (await room.run(['jobs', '--json'])).stdout;
  assert.not.match(raw, '\u202e');
  assert.ok((JSON.parse(raw) as { data: { job_id: string }[] }).data.some(({ job_id }) => job_id === id));
});

test('by address, from anywhere', async () => {
  const jobs = await room.run(['jobs', '-q', '--limit', '1', '--url', daemon.url], { cwd: room.folder });
  assert.is(jobs.status, 0, jobs.stderr);
  assert.ok(jobs.stdout.length > 1);
  const shown = await room.run(['show', 'suite_1'], { cwd: room.folder, env: { AGENTOPSD_URL: daemon.url } });
  assert.is(shown.status, 0, shown.stderr);
});

test('an address that is believed: not the one below the root', async () => {
  const path = join(room.root, '.agents/daemon/activation.json');
  await writeFile(path, '{"url":"http://127.0.0.1:1","pid":1,"writer":"x","started_at":"x"}');
  assert.is(((await data('status', ['status'])) as { url?: string }).url, daemon.url);
});

test('trust: what run --trust trusted', async () => {
  const trust = await data('trust', ['trust']);
  assert.is(trust['trusted'], true);
  assert.is(trust['changed'], false);
});

test('doctor and verify are content', async () => {
  const checked = (await data('check_up', ['doctor'])) as unknown as {
    healthy: boolean;
    findings: { state: string }[];
  };
  assert.is(checked.healthy, true, JSON.stringify(checked.findings));
  const verified = await data('verify', ['verify']);
  assert.is(verified['whole'], true);
});

test('the client reads the same over HTTP', async () => {
  const client = createClient({ url: daemon.url });
  let log = '';
  for await (const text of client.log('suite_1', { follow: true })) log += text;
  assert.is(log, 'done\n');
  assert.is((await client.job('suite_1')).status, 'completed');
  assert.is((await client.health()).status, 'ok');
  const stop = new AbortController();
  const ids: string[] = [];
  for await (const { event_id } of client.events({ follow: true, signal: stop.signal })) {
    ids.push(event_id);
    if (ids.length === 5) stop.abort();
  }
  assert.equal(
    (await client.eventsPage({ limit: 5 })).events.map(({ event_id }) => event_id),
    ids,
  );
});

test.run();

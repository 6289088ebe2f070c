import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { verbs } from '../../lib/cli/verbs.js';
import { CliRoom } from '../support/cli-room.js';

const test = suite('bad input to the command line');
let room: CliRoom;
test.before(async () => {
  room = await CliRoom.open();
  await mkdir(join(room.root, '.agents'));
});
test.after(() => room.close());

test('each mistake is one line with what to do, its exit code, and no stack trace', async () => {
  const table: [words: string[], status: number, stderr: string][] = [
    [['stauts'], 2, 'status'],
    [['jobs', '--stats', 'x'], 2, '--status'],
    [['jobs', '--status', 'runing'], 2, 'running'],
    [['jobs', '--limit', '-1'], 2, '--limit'],
    [['jobs', '--since', 'yesterday'], 2, '2h'],
    [['jobs', '--color', 'blue'], 2, 'auto, always, never'],
    [['show'], 2, 'JOB'],
    [['show', 'nothing'], 3, 'agentopsd jobs'],
    [['logs', 'nothing'], 3, 'no job nothing'],
    [['logs', 'x', '--attempt', '0'], 2, '--attempt'],
    [['wait', 'nothing'], 3, 'no job nothing'],
    [['wait', 'x', '--timeout', 'soon'], 2, '5m'],
    [['cancel', 'nothing'], 4, 'agentopsd run'],
    [['submit'], 2, 'help submit'],
    [['submit', '--type', 'rpi.rum'], 2, 'rpi.run'],
    [['submit', '--type', 'rpi.run', '--payload', '[1]'], 2, 'no JSON object'],
    [['submit', '--type', 'rpi.run', '--payload', '{'], 2, '--payload'],
    [['submit', 'nowhere.json'], 2, 'ENOENT'],
    [['submit', 'nowhere.json', '--goal', 'x'], 2, '--goal'],
    [['submit', '--goal', 'x'], 4, 'agentopsd run'],
    [['events', '-f'], 4, 'agentopsd run'],
    [['events', '--since', 'evt_x'], 3, 'no event evt_x'],
    [['events', '--job', 'nothing'], 3, 'no job nothing'],
    [['adopt'], 2, '--all'],
    [['adopt', '--all', 'x'], 2, '--all'],
    [['adopt', '--all'], 4, 'agentopsd run'],
    [['completion', 'powershell'], 2, 'bash'],
    [['help', 'stauts'], 2, 'status'],
    [['run', '--addr', '0.0.0.0:1'], 2, 'loopback'],
    [['run', '--workers', 'many'], 2, '--workers'],
    [['run', '--log-level', 'loud'], 2, '--log-level'],
    [['status', '--url', 'http://example.org:1'], 2, 'loopback'],
    [['status', '--url', 'http://127.0.0.1:1'], 4, '127.0.0.1:1'],
    [['jobs', '--root', 'nowhere'], 2, 'nowhere'],
  ];
  for (const [words, status, told] of table) {
    const ran = await room.run(words);
    assert.is(ran.status, status, `${words.join(' ')}: ${ran.stderr}`);
    assert.is(ran.stdout, '', words.join(' '));
    assert.ok(ran.stderr.includes(told), `${words.join(' ')}: ${ran.stderr}`);
    assert.not.match(ran.stderr, /^\s+at .*\.js/m);
  }
});

test('with --json the error is one document with its exit code', async () => {
  for (const [words, status, code] of [
    [['stauts'], 2, 'usage'],
    [['show', 'nothing'], 3, 'unknown_job'],
    [['cancel', 'nothing'], 4, 'daemon_unreachable'],
    [['events', '--since', 'evt_x'], 3, 'unknown_cursor'],
  ] as const) {
    const error = await room.json('error', words, { status });
    assert.is(error['code'], code);
    assert.is(error['exit'], status);
    assert.type(error['message'], 'string');
  }
});

test('a file of many jobs is looked through before the first one goes', async () => {
  const file = join(room.root, 'jobs.jsonl');
  await writeFile(file, '{"job_type":"rpi.run"}\n\n{"job_type":\n');
  const ran = await room.run(['submit', file]);
  assert.is(ran.status, 2);
  assert.match(ran.stderr, 'jobs.jsonl:3');
  assert.is((await room.run(['submit', file, '--id', 'x'])).status, 2);
});

test('without .agents it says how to lay it down', async () => {
  for (const verb of ['status', 'jobs', 'events', 'verify']) {
    const ran = await room.run([verb], { cwd: room.folder });
    assert.is(ran.status, 2, verb + ran.stderr);
    assert.match(ran.stderr, 'agentopsd init');
  }
});

test('every verb has help, in words and as a document', async () => {
  for (const { name } of verbs) {
    const ran = await room.run([name, '--help']);
    assert.is(ran.status, 0);
    assert.match(ran.stdout, `usage: agentopsd ${name}`);
    assert.is((await room.run(['help', name])).stdout, ran.stdout);
  }
  assert.is((await room.json('help', ['submit', '-h']))['name'], 'submit');
  const overview = await room.run(['--help']);
  for (const { name } of verbs) assert.match(overview.stdout, name);
  assert.is((await room.run(['help'])).stdout, overview.stdout);
});

test('the version', async () => {
  assert.match((await room.run(['--version'])).stdout, /^\d+\.\d+\.\d+\n$/);
});

test('colours only where they are wanted', async () => {
  assert.not.match((await room.run(['stauts'])).stderr, '\u001b[');
  assert.match((await room.run(['status', '--color', 'always'])).stdout, '\u001b[');
  assert.match((await room.run(['status', '--color=always'], { env: { NO_COLOR: '1' } })).stdout, '\u001b[');
  assert.not.match((await room.run(['status'], { env: { NO_COLOR: '1' } })).stdout, '\u001b[');
});

test('the nearest folder upward with .agents is the root', async () => {
  const deep = join(room.root, 'a', 'b');
  await mkdir(deep, { recursive: true });
  assert.is((await room.run(['status'], { cwd: deep })).status, 0);
});

test.run();

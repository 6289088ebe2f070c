/** Starts of the daemon by the command line: after a crash, in a clone, untrusted, hindered. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CliRoom, MAIN } from '../support/cli-room.js';

const test = suite('starts by the command line');
let room: CliRoom;
test.before.each(async () => {
  room = await CliRoom.open();
});
test.after.each(() => room.close());

/** A ledger with two queued jobs that nobody runs, and a cancelled one. */
async function history(): Promise<void> {
  const daemon = await room.daemon(['--workers', '0']);
  for (const id of ['job_1', 'job_2', 'other']) await room.run(['submit', '--type', 'openclaw.snapshot', '--id', id]);
  await room.run(['cancel', 'other']);
  assert.is(await daemon.stop(), 0);
}

test('after kill -9 reads go on from the files, and a new daemon starts', async () => {
  const daemon = await room.daemon(['--workers', '0']);
  await room.run(['submit', '--type', 'openclaw.snapshot', '--id', 'job_1']);
  await daemon.stop('SIGKILL');
  assert.is((await room.run(['jobs', '-q'])).stdout, 'job_1\n');
  const left = join(room.root, '.agents/daemon/projections/.wiki-jobs.json.0123456789ab.tmp');
  await mkdir(dirname(left), { recursive: true });
  await writeFile(left, 'half of it');
  const next = await room.daemon();
  assert.not(existsSync(left), 'what it left half-written is gone');
  assert.is((await room.run(['wait', 'job_1', '--timeout', '10s'])).status, 0);
  assert.is(await next.stop('SIGINT'), 0);
});

test('a clone: its jobs are foreign, told, and run once they are adopted', async () => {
  await history();
  const clone = await CliRoom.open();
  try {
    await cp(join(room.root, '.agents'), join(clone.root, '.agents'), { recursive: true });
    for (const name of ['run', 'activation.json', 'leases'])
      await rm(join(clone.root, '.agents/daemon', name), { recursive: true, force: true });
    const daemon = await clone.daemon();
    const status = (await clone.json('status', ['status'])) as unknown as {
      attention: { job_id: string; attention: { kind: string }[] }[];
    };
    assert.equal(
      status.attention.map(({ job_id, attention }) => [job_id, attention[0]?.kind]),
      [
        ['job_1', 'foreign'],
        ['job_2', 'foreign'],
      ],
    );
    const adopted = (await clone.json('adopted', ['adopt', 'job_1'])) as unknown as { adopted: { job_id: string }[] };
    assert.equal(
      adopted.adopted.map(({ job_id }) => job_id),
      ['job_1'],
    );
    assert.is((await clone.run(['wait', 'job_1', '--timeout', '10s'])).status, 0);
    assert.is((await clone.run(['wait', 'job_2', '--timeout', '100ms'])).status, 5);
    assert.match((await clone.run(['adopt', '--all'])).stdout, 'job_2');
    await daemon.stop();
  } finally {
    await clone.close();
  }
});

test('trust: a configuration from elsewhere runs nothing until a person agrees', async () => {
  await room.run(['init']);
  await writeFile(join(room.root, '.agents/config.yaml'), 'executors: { wiki.forge: { command: [node, tool.mjs] } }\n');
  const asked = await room.run(['trust']);
  assert.is(asked.status, 1);
  assert.match(asked.stdout, 'wiki.forge: command node tool.mjs');
  assert.is((await room.run(['doctor'])).status, 1);
  assert.is((await room.json('trust', ['trust'], { status: 1 }))['trusted'], false);
  assert.is((await room.json('trust', ['trust', '--yes']))['changed'], true);
  assert.is((await room.json('trust', ['trust']))['changed'], false);
  await writeFile(
    join(room.root, '.agents/config.yaml'),
    'executors: { wiki.forge: { command: [node, other.mjs] } }\n',
  );
  const changed = await room.json('trust', ['trust'], { status: 1 });
  assert.equal(changed['changes'], ['- wiki.forge: command node tool.mjs', '+ wiki.forge: command node other.mjs']);
});

test('what keeps a daemon from starting is one line and an exit code', async () => {
  await room.run(['init']);
  const config = join(room.root, '.agents/config.yaml');
  await writeFile(config, 'wrokers: 4\n');
  const broken = await room.run(['run', '--addr', '127.0.0.1:0']);
  assert.is(broken.status, 2);
  assert.match(broken.stderr, 'workers');
  assert.match((await room.run(['doctor'])).stdout, 'config.yaml:1');
  assert.is((await room.run(['trust'])).status, 2);
  await writeFile(config, '');
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  const taken = await room.run(['run', '--addr', `127.0.0.1:${port}`]);
  server.close();
  assert.is(taken.status, 4, taken.stderr);
  assert.match(taken.stderr, String(port));
  const token = join(room.folder, 'token');
  await writeFile(token, 'secret\n', { mode: 0o644 });
  const unsafe = await room.run(['run', '--addr', '127.0.0.1:0', '--token-file', token]);
  assert.is(unsafe.status, 2);
  assert.match(unsafe.stderr, 'chmod 600');
  for (const ran of [broken, taken, unsafe]) assert.not.match(ran.stderr, /^\s+at /m);
});

test('several mistakes of a configuration are told on a line each', async () => {
  await room.run(['init']);
  await writeFile(join(room.root, '.agents/config.yaml'), 'workrs: 3\nqueue: { lease_seconds: x }\n');
  const refused = await room.run(['run', '--addr', '127.0.0.1:0']);
  assert.is(refused.status, 2);
  const lines = refused.stderr.split('\n').filter((line) => line.includes('config.yaml:'));
  assert.is(lines.length, 2, refused.stderr);
  assert.match(refused.stderr, 'did you mean "workers"');
});

test('run lays down what is missing', async () => {
  const daemon = await room.daemon();
  assert.match(daemon.stderr(), 'made .agents/config.yaml');
  await daemon.stop();
});

test('the files give the same answers as the daemon', async () => {
  const daemon = await room.daemon();
  for (const id of ['job_1', 'job_2']) await room.run(['submit', '--type', 'openclaw.snapshot', '--id', id, '--wait']);
  const words = [
    ['jobs', '--json'],
    ['events', '--json'],
    ['show', 'job_1', '--json', '--events'],
    ['show', 'job_2'],
  ];
  const before = [];
  for (const line of words) before.push((await room.run(line)).stdout);
  await daemon.stop();
  for (const [at, line] of words.entries()) assert.is((await room.run(line)).stdout, before[at], line.join(' '));
});

test('a daemon that hangs is told, and the files are read instead', async () => {
  const daemon = await room.daemon(['--workers', '0']);
  await room.run(['submit', '--type', 'openclaw.snapshot', '--id', 'job_1']);
  process.kill(daemon.pid, 'SIGSTOP');
  const ran = await room.run(['jobs']);
  process.kill(daemon.pid, 'SIGCONT');
  assert.match(ran.stdout, 'job_1');
  assert.match(ran.stderr, 'does not answer');
  await daemon.stop();
});

test('a signal that comes once callers are answered, and before the start is through, stops it cleanly', async () => {
  await (await room.daemon(['--workers', '0'])).stop();
  for (let at = 0; at < 200; at++)
    await writeFile(join(room.root, `.agents/inbox/new/${at}.json`), '{"job_type":"openclaw.snapshot","payload":{}}');
  const child = spawn(process.execPath, [MAIN, 'run', '--addr', '127.0.0.1:0', '--workers', '0'], {
    cwd: room.root,
    env: room.environment,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ended = once(child, 'exit');
  let stdout = '';
  child.stdout.on('data', (piece: Buffer) => {
    stdout += piece.toString();
  });
  const activation = join(room.root, '.agents/daemon/activation.json');
  const deadlineMs = performance.now() + 20_000;
  while (!existsSync(activation)) {
    assert.ok(performance.now() < deadlineMs, 'it tells where it listens');
    await delay(1);
  }
  assert.is(stdout, '', 'it listens before it tells that it is ready');
  child.kill('SIGTERM');
  assert.equal(await ended, [0, null]);
});

test('wait goes on when the daemon is killed and started again elsewhere', async () => {
  const daemon = await room.daemon(['--workers', '0']);
  await room.run(['submit', '--type', 'openclaw.snapshot', '--id', 'job_1']);
  const before = await answersOf(daemon.url);
  const waiting = room.run(['wait', 'job_1', '--timeout', '25s']);
  const deadlineMs = performance.now() + 10_000;
  // Each look is an answer too, so only what grows faster is the other one asking.
  for (let looks = 1; (await answersOf(daemon.url)) - before - looks < 5; looks++) {
    assert.ok(performance.now() < deadlineMs, 'wait asks for its job');
    await delay(50);
  }
  await daemon.stop('SIGKILL');
  const next = await room.daemon();
  const { status, stdout, stderr } = await waiting;
  assert.is(status, 0, stderr);
  assert.match(stdout, '✓ completed');
  await next.stop();
});

async function answersOf(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const counts = [...text.matchAll(/^agentopsd_http_answers\{.*\} (\d+)$/gm)];
  return counts.reduce((sum, [, count]) => sum + Number(count), 0);
}

test.run();

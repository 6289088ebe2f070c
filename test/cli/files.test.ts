/** Reads without the daemon, straight from the files. */
import { execFile } from 'node:child_process';
import { appendFile, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CliRoom, MAIN, theStream } from '../support/cli-room.js';

const test = suite('the command line without a daemon');
let room: CliRoom;
let whole: string;
test.before(async () => {
  room = await CliRoom.open();
  await history();
  whole = await readFile(await segment(), 'utf8');
});
/** Each test leaves the ledger as it found it. */
test.after.each(async () => writeFile(await segment(), whole));
test.after(() => room.close());

/** A ledger with three queued jobs that nobody runs. */
async function history(): Promise<void> {
  const daemon = await room.daemon(['--workers', '0']);
  for (const id of ['job_1', 'job_2', 'other']) await room.run(['submit', '--type', 'openclaw.snapshot', '--id', id]);
  await room.run(['cancel', 'other']);
  assert.is(await daemon.stop(), 0);
}

async function segment(): Promise<string> {
  const folder = join(room.root, '.agents/daemon/ledger');
  return join(folder, (await readdir(folder)).sort()[0] as string);
}

test('reads say on stderr that they read the files, and -q is quiet', async () => {
  for (const words of [['status'], ['jobs'], ['show', 'job_1'], ['events']]) {
    const ran = await room.run(words);
    assert.is(ran.status, 0, ran.stderr);
    assert.match(ran.stderr, 'read from the files');
    assert.match(ran.stdout, /job_1|queued/);
    assert.is((await room.run([...words, '-q'])).stderr, '');
  }
});

test('events from the files know cursor and limit', async () => {
  const all = theStream((await room.run(['events', '--json'])).stdout);
  const since = String(all[0]?.['event_id']);
  assert.equal(
    theStream((await room.run(['events', '--json', '--since', since, '--limit', '2'])).stdout),
    all.slice(1, 3),
  );
  assert.is((await room.run(['events', '--since', 'evt_nothing_000009'])).status, 3);
});

test('wait: an end is an end, what has not ended needs a daemon', async () => {
  assert.is((await room.run(['wait', 'other'])).status, 7);
  assert.is((await room.run(['wait', 'job_1'])).status, 4);
  assert.is((await room.run(['wait', 'job_1', 'other', '--any'])).status, 7);
  assert.is((await room.run(['wait', 'job'])).status, 3);
});

test('damage: status, verify and doctor tell it', async () => {
  const path = await segment();
  const text = await readFile(path, 'utf8');
  await writeFile(path, text.replace('"job_id":"job_1"', '"job_id":"job_9"'));
  const status = await room.run(['status']);
  assert.is(status.status, 1, status.stdout);
  const verified = await room.json('verify', ['verify'], { status: 1 });
  assert.is(verified['whole'], false);
  const [finding] = verified['findings'] as { file: string; line: number }[];
  assert.match(finding?.file ?? '', '.agents/daemon/ledger/');
  assert.is(finding?.line, 2);
  assert.is((await room.run(['doctor'])).status, 1);
  const words = await room.run(['verify']);
  assert.match(words.stdout, /\.jsonl:2/);
});

test('a torn end is a note', async () => {
  await appendFile(await segment(), '{"torn');
  const verified = await room.json('verify', ['verify']);
  assert.is(verified['whole'], true);
});

test('a ledger newer than we know: nothing is read into it', async () => {
  const path = await segment();
  await writeFile(path, (await readFile(path, 'utf8')).replaceAll('"schema_version":1', '"schema_version":2'));
  for (const words of [['verify'], ['status'], ['run', '--addr', '127.0.0.1:0']]) {
    const ran = await room.run(words);
    assert.is(ran.status, 8, `${words[0]} ${ran.stderr}`);
  }
});

test('a reader that goes away is no error', async () => {
  const status = await new Promise<string>((resolve) => {
    const line = `"${process.execPath}" "${MAIN}" events --json | head -c 5 >/dev/null; echo "\${PIPESTATUS[0]}"`;
    execFile('bash', ['-c', line], { cwd: room.root, env: room.environment }, (_, stdout, stderr) =>
      resolve(stdout.trim() + stderr.replace(/^.*read from the files\n/m, '')),
    );
  });
  assert.is(status, '0');
});

test.run();

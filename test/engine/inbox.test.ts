import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { AgentopsdError } from '../../lib/base/errors.js';
import { createInbox, type Inbox, type InboxOptions } from '../../lib/engine/inbox.js';
import { firstSight } from '../../lib/engine/inbox-folder.js';
import type { Outcome, SubmitCommand } from '../../lib/model/command.js';
import { createNodeDisk } from '../../lib/storage/node-disk.js';
import { createNodeRandom } from '../../lib/storage/node-random.js';
import { until } from '../support/nasty-children.js';
import { waitingClock } from '../support/real-clock.js';

const test = suite('inbox');
const seams = { disk: createNodeDisk(), random: createNodeRandom() };
let folder = '';
let inboxes: Inbox[] = [];
/** What reached the kernel, and the jobs that it keeps by key. */
let commands: SubmitCommand[] = [];
let jobs = new Map<string, Outcome>();
let clockMs = 0;
test.before.each(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'agentopsd-')));
  mkdirSync(join(folder, 'home'), { mode: 0o700 });
  mkdirSync(join(folder, 'root'));
  inboxes = [];
  commands = [];
  jobs = new Map();
  clockMs = 0;
});
test.after.each(async () => {
  await Promise.all(inboxes.map((inbox) => inbox.stop()));
  rmSync(folder, { recursive: true, force: true });
});

const inboxPath = (...parts: string[]): string => join(folder, 'root', '.agents', 'inbox', ...parts);
const home = () => ({ folder: join(folder, 'home'), root: join(folder, 'root') });
const drop = (name: string, content: unknown): void => {
  mkdirSync(inboxPath('new'), { recursive: true });
  writeFileSync(inboxPath(`new`, `.${name}.tmp`), typeof content === 'string' ? content : JSON.stringify(content));
  renameSync(inboxPath('new', `.${name}.tmp`), inboxPath('new', name));
};
const answer = (name: string): Record<string, unknown> =>
  JSON.parse(readFileSync(inboxPath('done', name), 'utf8')) as Record<string, unknown>;
const waiting = (): string[] => readdirSync(inboxPath('new'));

async function execute(command: SubmitCommand): Promise<Outcome> {
  commands.push(command);
  const key = command.idempotency_key ?? '';
  const job = { job_id: command.job_id ?? command.generatedJobId, request_id: command.request_id } as Outcome['job'];
  const outcome = jobs.get(key) ?? {
    job,
    appended: 1,
    deduplicated: false,
    conflict: undefined,
    cancelOutcome: undefined,
  };
  jobs.set(key, outcome);
  return outcome;
}
function make(more: Partial<InboxOptions> = {}): Inbox {
  const inbox = createInbox({
    ...seams,
    home: home(),
    clock: { ...waitingClock(), monotonicMs: () => clockMs },
    logger: () => {},
    execute,
    acceptedBody: (job) => ({ accepted: true, job_id: job.job_id }),
    refusedBody: (error) => ({ error: error.message, ...error.details }),
    maxAttempts: () => 3,
    ...more,
  });
  inboxes.push(inbox);
  return inbox;
}

test('a file renamed in is submitted, answered, and goes', async () => {
  const inbox = make();
  await inbox.runOnce();
  drop('hello.json', {
    job_type: 'rpi.run',
    job_id: 'job_1',
    request_id: 'req_1',
    idempotency_key: 'k',
    payload: { goal: 'x' },
  });
  await inbox.runOnce();
  assert.equal(answer('hello.accepted.json'), { accepted: true, job_id: 'job_1' });
  assert.equal(waiting(), []);
  const [command] = commands;
  assert.is(command?.actor, 'inbox');
  assert.equal(
    [command?.job_type, command?.request_id, command?.idempotency_key, command?.max_attempts],
    ['rpi.run', 'req_1', 'k', 3],
  );
  assert.equal(command?.payload, { goal: 'x' });
});

test('without a key it gets one of its name and bytes', async () => {
  const inbox = make();
  await inbox.runOnce();
  for (const name of ['a.json', 'b.json', 'a.json']) {
    drop(name, { job_type: 'rpi.run' });
    await inbox.runOnce();
  }
  drop('a.json', { job_type: 'rpi.run', payload: { other: 1 } });
  await inbox.runOnce();
  const keys = commands.map((command) => command.idempotency_key);
  assert.match(keys[0] ?? '', /^inbox:[0-9a-f]{64}$/);
  assert.is(keys[0], keys[2]);
  assert.is(new Set(keys).size, 3);
});

test('every mistake has its answer, and nothing is submitted', async () => {
  const inbox = make();
  await inbox.runOnce();
  drop('type.json', { job_type: 'no-such' });
  drop('key.json', { job_type: 'rpi.run', idempotency_key: 'k'.repeat(257) });
  drop('list.json', []);
  drop('large.json', JSON.stringify({ job_type: 'rpi.run', payload: { x: 'x'.repeat(1_048_576) } }));
  await inbox.runOnce();
  assert.match(String(answer('type.rejected.json')['error']), /no-such.*is not known/);
  assert.equal([answer('key.rejected.json')['max_bytes'], answer('key.rejected.json')['got_bytes']], [256, 257]);
  assert.match(String(answer('list.rejected.json')['error']), /not a JSON object/);
  assert.is(answer('large.rejected.json')['max_bytes'], 1_048_576);
  assert.equal(waiting(), []);
  assert.equal(commands, []);
});

test('a file of exactly the limit passes', async () => {
  const inbox = make();
  await inbox.runOnce();
  const frame = JSON.stringify({ job_type: 'rpi.run', payload: { x: '' } });
  drop('full.json', frame.replace('""', `"${'x'.repeat(1_048_576 - frame.length)}"`));
  await inbox.runOnce();
  assert.ok(existsSync(inboxPath('done', 'full.accepted.json')));
});

test('links, pipes and folders are never followed or read', async () => {
  const inbox = make();
  await inbox.runOnce();
  writeFileSync(join(folder, 'outside.json'), JSON.stringify({ job_type: 'rpi.run' }));
  symlinkSync(join(folder, 'outside.json'), inboxPath('new', 'link.json'));
  execFileSync('mkfifo', [inboxPath('new', 'pipe.json')]);
  mkdirSync(inboxPath('new', 'folder.json'));
  await inbox.runOnce();
  for (const name of ['link', 'pipe'])
    assert.match(String(answer(`${name}.rejected.json`)['error']), /not a regular file/);
  assert.equal(waiting(), ['folder.json']);
  assert.match(inbox.warnings()[0] ?? '', /folder\.json is a folder/);
  assert.ok(existsSync(join(folder, 'outside.json')));
  assert.equal(commands, []);
});

test('a half-written file waits; one that stays so is refused', async () => {
  const inbox = make();
  await inbox.runOnce();
  drop('half.json', '{"job_type": "rpi');
  drop('never.json', '{');
  await inbox.runOnce();
  clockMs += 2000;
  writeFileSync(inboxPath('new', 'half.json'), '{"job_type": "rpi.run"');
  await inbox.runOnce();
  clockMs += 2000;
  await inbox.runOnce();
  assert.equal(waiting(), ['half.json'], 'the one that never changed is refused');
  assert.is(answer('never.rejected.json')['error'], 'invalid json');
  writeFileSync(inboxPath('new', 'half.json'), '{"job_type": "rpi.run"}');
  await inbox.runOnce();
  assert.ok(answer('half.accepted.json')['accepted']);
  assert.equal(waiting(), []);
});

test('temporary names and others are no requests; names that can have no answer are told', async () => {
  const inbox = make();
  await inbox.runOnce();
  for (const name of ['.hidden.json', 'note.txt', '.json'])
    writeFileSync(inboxPath('new', name), '{"job_type":"rpi.run"}');
  writeFileSync(inboxPath('new', `${'n'.repeat(220)}.json`), '{"job_type":"rpi.run"}');
  await inbox.runOnce();
  assert.equal(commands, []);
  assert.is(waiting().length, 4);
  assert.match(inbox.warnings()[0] ?? '', /longer than 200 bytes/);
});

test('what lies there at the first sight came with the repository: never taken, and told', async () => {
  drop('planted.json', { job_type: 'rpi.run' });
  const inbox = make();
  await inbox.runOnce();
  drop('mine.json', { job_type: 'wiki.build' });
  await inbox.runOnce();
  assert.equal(
    commands.map((command) => command.job_type),
    ['wiki.build'],
  );
  assert.equal(waiting(), ['planted.json']);
  assert.match(inbox.warnings()[0] ?? '', /planted\.json came with the repository/);
  rmSync(inboxPath('new', 'planted.json'));
  await inbox.runOnce();
  assert.equal(inbox.warnings(), []);
  drop('planted.json', { job_type: 'rpi.run' });
  const next = make();
  await next.runOnce();
  assert.is(commands.length, 1, 'the same bytes under the same name stay what they are, after a restart too');
  drop('planted.json', { job_type: 'rpi.run', payload: { mine: true } });
  await next.runOnce();
  assert.is(commands.length, 2);
});

test('what is dropped after the first sight and while nobody looks is taken at the next start', async () => {
  await firstSight(seams, home());
  drop('early.json', { job_type: 'rpi.run' });
  const inbox = make();
  await inbox.start();
  assert.ok(existsSync(inboxPath('done', 'early.accepted.json')));
  await inbox.stop();
  drop('down.json', { job_type: 'wiki.build' });
  await make().start();
  assert.ok(existsSync(inboxPath('done', 'down.accepted.json')));
});

test('a drop is noticed by itself, also after the folder was removed and made again', async () => {
  const inbox = make();
  await inbox.start();
  drop('one.json', { job_type: 'rpi.run' });
  await until(() => existsSync(inboxPath('done', 'one.accepted.json')), 'the first');
  rmSync(inboxPath(), { recursive: true });
  drop('two.json', { job_type: 'rpi.run' });
  await until(() => existsSync(inboxPath('done', 'two.accepted.json')), 'the second');
});

test('a drop right after the start is noticed by the watcher, not by the timer', async () => {
  const inbox = make({ clock: { ...waitingClock(), after: () => () => {} } });
  await inbox.start();
  drop('one.json', { job_type: 'rpi.run' });
  await until(() => existsSync(inboxPath('done', 'one.accepted.json')), 'the first');
  drop('two.json', { job_type: 'rpi.run' });
  await until(() => existsSync(inboxPath('done', 'two.accepted.json')), 'the second');
});

test('what can not be written now stays, and becomes one job later', async () => {
  let down = true;
  const inbox = make({
    execute: async (command) => {
      if (!down) return execute(command);
      throw new AgentopsdError('outcome_unknown', 'the disk is full');
    },
  });
  await inbox.runOnce();
  drop('later.json', { job_type: 'rpi.run' });
  await inbox.runOnce();
  assert.equal(waiting(), ['later.json']);
  assert.match(inbox.warnings()[0] ?? '', /later\.json stays for now: the disk is full/);
  down = false;
  await inbox.runOnce();
  assert.ok(answer('later.accepted.json')['accepted']);
  assert.equal(inbox.warnings(), []);
});

test('a crash between the append and the answer repeats it under the same key', async () => {
  const inbox = make({
    acceptedBody: () => {
      throw new Error('crash');
    },
  });
  await inbox.runOnce();
  drop('crash.json', { job_type: 'rpi.run' });
  await inbox.runOnce();
  assert.equal(waiting(), ['crash.json']);
  await make().runOnce();
  assert.is(commands.length, 2);
  assert.is(jobs.size, 1);
  assert.is(answer('crash.accepted.json')['job_id'], commands[0]?.generatedJobId);
});

test('a refusal of the kernel is answered with its body', async () => {
  const inbox = make({
    execute: async () => {
      throw new AgentopsdError('invalid_request', 'not like this');
    },
  });
  await inbox.runOnce();
  drop('no.json', { job_type: 'rpi.run' });
  await inbox.runOnce();
  assert.equal(answer('no.rejected.json'), { error: 'not like this' });
});

test('many files at once are each submitted once, in the order of their names', async () => {
  const inbox = make();
  await inbox.runOnce();
  const names = Array.from({ length: 100 }, (_, at) => `job-${String(at).padStart(3, '0')}`);
  for (const name of names) drop(`${name}.json`, { job_type: 'rpi.run', job_id: name });
  await Promise.all([inbox.runOnce(), inbox.runOnce(), inbox.runOnce()]);
  assert.equal(
    commands.map((command) => command.job_id),
    names,
  );
  assert.equal(waiting(), []);
});

test('an inbox that is a link is refused and told; nothing is written behind it', async () => {
  mkdirSync(join(folder, 'elsewhere', 'new'), { recursive: true });
  mkdirSync(join(folder, 'root', '.agents'));
  writeFileSync(join(folder, 'elsewhere', 'new', 'x.json'), '{"job_type":"rpi.run"}');
  symlinkSync(join(folder, 'elsewhere'), inboxPath());
  const inbox = make();
  await inbox.runOnce();
  assert.match(inbox.warnings()[0] ?? '', /can't be read/);
  assert.equal(readdirSync(join(folder, 'elsewhere')), ['new']);
  assert.equal(commands, []);
});

test.run();

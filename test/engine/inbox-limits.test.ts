/** What the inbox takes at most, and when: exactly so much, and not more. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { limits } from '../../lib/base/limits.js';
import { createInbox, type Inbox } from '../../lib/engine/inbox.js';
import type { Outcome, SubmitCommand } from '../../lib/model/command.js';
import { createNodeDisk } from '../../lib/storage/node-disk.js';
import { createNodeRandom } from '../../lib/storage/node-random.js';
import { TestClock } from '../support/test-clock.js';

interface Room {
  folder: string;
  clock: TestClock;
  inbox: Inbox;
  /** What reached the kernel. */
  commands: SubmitCommand[];
  /** Answers what is being submitted, so many as are. */
  answers: (() => void)[];
  holds: boolean;
}
const test = suite<Room>('limits of the inbox');

test.before.each(async (room) => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'agentopsd-')));
  mkdirSync(join(folder, 'home'), { mode: 0o700 });
  mkdirSync(join(folder, 'root'));
  Object.assign(room, { folder, clock: new TestClock(), commands: [], answers: [], holds: false });
  room.inbox = createInbox({
    disk: createNodeDisk(),
    random: createNodeRandom(),
    home: { folder: join(folder, 'home'), root: join(folder, 'root') },
    clock: room.clock,
    logger: () => {},
    async execute(command): Promise<Outcome> {
      room.commands.push(command);
      if (room.holds) await new Promise<void>((answer) => room.answers.push(answer));
      return { job: { job_id: 'x' }, appended: 1, deduplicated: false } as Partial<Outcome> as Outcome;
    },
    acceptedBody: () => ({ accepted: true }),
    refusedBody: ({ message, details }) => ({ error: message, ...details }),
    maxAttempts: () => 3,
    watch: () => ({ on: () => {}, close: async () => {} }) as never,
  });
  await room.inbox.runOnce();
});
test.after.each(async ({ inbox, folder }) => {
  await inbox.stop();
  rmSync(folder, { recursive: true, force: true });
});

const pathIn = ({ folder }: Room, ...parts: string[]) => join(folder, 'root/.agents/inbox', ...parts);
const drop = (room: Room, name: string, text: string): void => writeFileSync(pathIn(room, 'new', name), text);
const answer = (room: Room, name: string) =>
  JSON.parse(readFileSync(pathIn(room, 'done', name), 'utf8')) as Record<string, unknown>;
const request = JSON.stringify({ job_type: 'rpi.run' });

test('limits.inboxFileBytes', async (room) => {
  const { inboxFileBytes } = limits;
  drop(room, 'fits.json', request.padEnd(inboxFileBytes));
  drop(room, 'more.json', request.padEnd(inboxFileBytes + 1));
  await room.inbox.runOnce();
  assert.is(answer(room, 'fits.accepted.json')['accepted'], true);
  assert.equal(answer(room, 'more.rejected.json'), {
    error: `the request is larger than ${inboxFileBytes} bytes`,
    max_bytes: inboxFileBytes,
  });
});

test('limits.inboxNameBytes: a longer name would leave none to its answer', async (room) => {
  const { inboxNameBytes } = limits;
  const name = (bytes: number) => `${'é'.repeat((bytes - 6) / 2)}${'x'.repeat(bytes % 2)}x.json`;
  drop(room, name(inboxNameBytes), request);
  drop(room, name(inboxNameBytes + 1), request);
  assert.equal(
    readdirSync(pathIn(room, 'new'))
      .map((each) => Buffer.byteLength(each))
      .sort(),
    [inboxNameBytes, inboxNameBytes + 1],
  );
  await room.inbox.runOnce();
  assert.equal(readdirSync(pathIn(room, 'new')), [name(inboxNameBytes + 1)]);
  assert.is(room.commands.length, 1);
  assert.match(room.inbox.warnings()[0] ?? '', `longer than ${inboxNameBytes} bytes; it is not taken`);
});

test('limits.inboxSettleMs: what is no JSON is refused once it has not changed for so long', async (room) => {
  const { inboxSettleMs } = limits;
  const look = async (passedMs: number) => {
    room.clock.advance(passedMs);
    await room.inbox.runOnce();
    return existsSync(pathIn(room, 'done', 'half.rejected.json'));
  };
  drop(room, 'half.json', '{');
  assert.equal([await look(0), await look(inboxSettleMs - 1)], [false, false]);
  drop(room, 'half.json', '{"');
  assert.equal([await look(inboxSettleMs), await look(inboxSettleMs - 1)], [false, false], 'it has changed');
  assert.is(await look(1), true);
});

test('limits.inboxBatchFiles: so many are submitted together, the next ones behind them', async (room) => {
  const { inboxBatchFiles } = limits;
  for (let at = 0; at <= inboxBatchFiles; at++) drop(room, `${100 + at}.json`, request);
  room.holds = true;
  const looking = room.inbox.runOnce();
  const submitted = async (count: number) => {
    while (room.answers.length < count) await new Promise((resume) => setTimeout(resume, 1));
  };
  await submitted(inboxBatchFiles);
  for (const each of room.answers.slice(1)) each();
  await new Promise(setImmediate);
  assert.is(room.commands.length, inboxBatchFiles, 'one of them is not answered yet');
  room.answers[0]?.();
  await submitted(inboxBatchFiles + 1);
  room.answers.at(-1)?.();
  await looking;
  assert.is(readdirSync(pathIn(room, 'done')).length, inboxBatchFiles + 1);
});

test('limits.rescanMs: a watcher that says nothing hides nothing for longer', async (room) => {
  await room.inbox.start();
  drop(room, 'a.json', request);
  room.clock.advance(limits.rescanMs - 1);
  await new Promise(setImmediate);
  assert.is(room.commands.length, 0);
  room.clock.advance(1);
  while (!existsSync(pathIn(room, 'done', 'a.accepted.json'))) await new Promise((resume) => setTimeout(resume, 1));
});

test.run();

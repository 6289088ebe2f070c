import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { limits } from '../../lib/base/limits.js';
import {
  ChainCheck,
  type ChainChecker,
  type ChainCheckers,
  checkersFor,
  checksInPlace,
} from '../../lib/storage/chain-check.js';
import { hashOfLine } from '../../lib/storage/line.js';
import { createChainThread } from '../../lib/storage/node-chain-thread.js';

const test = suite('chain thread');
const FIRST = 'f'.repeat(64);

/** Lines that each hold the hash of the one before, as events do. */
function linesOf(count: number, padding = 10): string[] {
  let hash = FIRST;
  return Array.from({ length: count }, (_, at) => {
    const line = `{"payload":{"text":"${'x'.repeat(padding)}"},"prev_hash":"${hash}","request_id":"r","seq":${at + 1}}`;
    hash = hashOfLine(Buffer.from(line));
    return `${line}\n`;
  });
}

async function fits(checker: ChainChecker, blocks: readonly string[]): Promise<boolean> {
  for (const block of blocks) await checker.take(Buffer.from(block));
  return checker.fits();
}

test('the thread says what the check in place says, run after run', async () => {
  const whole = linesOf(50);
  const cases: [string[], boolean][] = [
    [[whole.join('')], true],
    [whole, true],
    [[], true],
    [[...whole.slice(0, 20), ...whole.slice(21)], false],
    [whole.slice(1), false],
    [[...whole.slice(0, 49), (whole[49] as string).trimEnd()], false],
    [whole.map((line, at) => (at === 30 ? line.replace('xx', 'xy') : line)), false],
    [['{}\n'], false],
    [['\n'], false],
  ];
  const thread = createChainThread();
  try {
    for (const [blocks, expected] of cases) {
      assert.is(await fits(new ChainCheck(FIRST), blocks), expected);
      assert.is(await fits(thread.begin(FIRST), blocks), expected);
    }
  } finally {
    await thread.close();
  }
});

test('limits.secondThreadBytes: from so many bytes on a second thread is worth its start', () => {
  const checkers: ChainCheckers = { handsOver: true, begin: () => new ChainCheck(FIRST) };
  assert.is(checkersFor({ checkers }, limits.secondThreadBytes - 1), checksInPlace);
  assert.is(checkersFor({ checkers }, limits.secondThreadBytes), checkers);
  assert.is(checkersFor({}, limits.secondThreadBytes), checksInPlace);
});

test('more blocks than may wait go through, long lines among them', async () => {
  const thread = createChainThread();
  try {
    assert.is(await fits(thread.begin(FIRST), linesOf(300, 20_000)), true);
  } finally {
    await thread.close();
  }
});

test('a run that is given up says nothing about the next', async () => {
  const thread = createChainThread();
  try {
    const [first] = linesOf(1) as [string];
    await thread.begin(FIRST).take(Buffer.from(first.repeat(2_000)));
    const checker = thread.begin(FIRST);
    assert.is(await fits(checker, linesOf(2_000)), true);
    assert.is(checker.isBroken, false);
  } finally {
    await thread.close();
  }
});

test('what a thread that is gone was to check does not count as checked', async () => {
  const thread = createChainThread();
  const checker = thread.begin(FIRST);
  await checker.take(Buffer.from(linesOf(3).join('')));
  await thread.close();
  assert.is(await checker.fits(), false);
});

test.run();

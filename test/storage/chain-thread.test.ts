import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { JsonObject } from '../../lib/base/json.js';
import { limits } from '../../lib/base/limits.js';
import {
  ChainCheck,
  type ChainChecker,
  type ChainCheckers,
  checkersFor,
  checksInPlace,
} from '../../lib/storage/chain-check.js';
import { encodeEventLine, hashOfLine } from '../../lib/storage/line.js';
import { createChainThread } from '../../lib/storage/node-chain-thread.js';

const test = suite('chain thread');
const FIRST = 'f'.repeat(64);

const usual = {
  schema_version: 1,
  event_id: 'e',
  request_id: 'r',
  job_id: 'j',
  event_type: 't',
  occurred_at: '2026-01-31T12:00:00.123Z',
  actor: 'a',
} as const;

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
      assert.is(await fits(new ChainCheck(FIRST, 'chain'), blocks), expected);
      assert.is(await fits(thread.begin(FIRST, 'chain'), blocks), expected);
    }
  } finally {
    await thread.close();
  }
});

test('where no mac vouches for the lines, each has to be an event too', async () => {
  const chained = (payloads: readonly object[], alter = (line: string) => line): Buffer => {
    let hash = FIRST;
    const lines = payloads.map((payload, at) => {
      const event = { ...usual, payload: payload as JsonObject, seq: at + 1 };
      const line = Buffer.from(alter(encodeEventLine(event, hash, undefined, Buffer.alloc(32))), 'latin1');
      hash = hashOfLine(line);
      return Buffer.concat([line, Buffer.from('\n')]);
    });
    return Buffer.concat(lines);
  };
  const usualLines = [{}, { goal: 'do it' }, {}];
  const long = { text: 'x'.repeat(limits.ledgerLineBytes) };
  const cases: [Buffer, boolean][] = [
    [chained(usualLines), true],
    // For the slow way, but in order.
    [chained([{ n: 1e30, '10': 1, text: '\u0085' }, { text: '\u0001' }]), true],
    [chained(usualLines, (line) => line.replace('"do it"', '"do \xe9"')), false],
    [chained(usualLines, (line) => line.replace('"do it"', '"do\\u0020it"')), false],
    [chained(usualLines, (line) => line.replace('"actor":"a",', '')), false],
    [chained(usualLines, (line) => line.replace('"schema_version":1', '"schema_version":2')), false],
    [chained([long]), false],
  ];
  const thread = createChainThread();
  try {
    for (const [bytes, expected] of cases) {
      for (const checker of [new ChainCheck(FIRST, 'events'), thread.begin(FIRST, 'events')]) {
        await checker.take(Buffer.from(bytes));
        assert.is(await checker.fits(), expected, bytes.toString('latin1', 0, 500));
      }
      const chainAlone = new ChainCheck(FIRST, 'chain');
      chainAlone.take(bytes);
      assert.is(chainAlone.isBroken, false, 'the chain itself fits in each');
    }
  } finally {
    await thread.close();
  }
});

test('limits.secondThreadBytes: from so many bytes on a second thread is worth its start', () => {
  const checkers: ChainCheckers = { handsOver: true, begin: () => new ChainCheck(FIRST, 'chain') };
  assert.is(checkersFor({ checkers }, limits.secondThreadBytes - 1), checksInPlace);
  assert.is(checkersFor({ checkers }, limits.secondThreadBytes), checkers);
  assert.is(checkersFor({}, limits.secondThreadBytes), checksInPlace);
});

test('more blocks than may wait go through, long lines among them', async () => {
  const thread = createChainThread();
  try {
    assert.is(await fits(thread.begin(FIRST, 'chain'), linesOf(300, 20_000)), true);
  } finally {
    await thread.close();
  }
});

test('a run that is given up says nothing about the next', async () => {
  const thread = createChainThread();
  try {
    const [first] = linesOf(1) as [string];
    await thread.begin(FIRST, 'chain').take(Buffer.from(first.repeat(2_000)));
    const checker = thread.begin(FIRST, 'chain');
    assert.is(await fits(checker, linesOf(2_000)), true);
    assert.is(checker.isBroken, false);
  } finally {
    await thread.close();
  }
});

test('what a thread that is gone was to check does not count as checked', async () => {
  const thread = createChainThread();
  const checker = thread.begin(FIRST, 'chain');
  await checker.take(Buffer.from(linesOf(3).join('')));
  await thread.close();
  assert.is(await checker.fits(), false);
});

test.run();

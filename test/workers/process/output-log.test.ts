import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createOutputLog } from '../../../workers/process/output-log.js';

const test = suite('output-log');
let folder = '';
test.before.each(() => {
  folder = mkdtempSync(join(tmpdir(), 'agentopsd-'));
});
test.after.each(() => rmSync(folder, { recursive: true, force: true }));

const path = (): string => join(folder, 'output.log');
const text = (): string => readFileSync(path(), 'utf8');
/** `line 000001\n` …: 12 bytes each. */
const lines = (from: number, to: number): string =>
  Array.from({ length: to - from }, (_, at) => `line ${String(from + at).padStart(6, '0')}\n`).join('');

test('what fits is there as it came, at once', () => {
  const log = createOutputLog(path(), 4096);
  log.write('hello\n');
  assert.is(text(), 'hello\n');
  log.write(Buffer.from([0xff, 0x00, 0x0a]));
  assert.equal([...readFileSync(path()).subarray(6)], [0xff, 0x00, 0x0a]);
  log.write('x'.repeat(4096 - 9));
  assert.is(statSync(path()).size, 4096);
  assert.is(log.omittedBytes(), 0);
  log.close();
  log.close();
});

test('a flood keeps the head and the tail, tells the gap, and is bounded at every moment', () => {
  const log = createOutputLog(path(), 4096);
  for (let at = 0; at < 10_000; at += 10) {
    log.write(lines(at, at + 10));
    assert.ok(statSync(path()).size <= 4096);
    assert.ok(text().endsWith(`line ${String(at + 9).padStart(6, '0')}\n`), 'the newest line is visible');
  }
  log.close();
  const [head = '', told = '', tail = ''] = text().split(/\n(\[agentopsd: \d+ bytes left out here\])\n/);
  assert.ok(head.length > 1800 && lines(0, 400).startsWith(head), 'the head is the first lines, whole');
  assert.ok(tail.length > 700 && lines(0, 10_000).endsWith(tail), 'the tail is the last lines, whole');
  assert.match(tail, /^line /);
  const omitted = Number(/\d+/.exec(told)?.[0]);
  assert.is(head.length + omitted + tail.length, 120_000);
  assert.is(log.omittedBytes(), omitted);
  assert.is(log.writtenBytes(), 120_000);
});

test('one write larger than the limit is no other than many', () => {
  const log = createOutputLog(path(), 4096);
  log.write(lines(0, 10_000));
  log.close();
  assert.ok(text().startsWith(lines(0, 100)));
  assert.ok(text().endsWith(lines(9_950, 10_000)));
  assert.ok(statSync(path()).size <= 4096);
});

test('bytes without lines are accounted for too, and characters stay whole', () => {
  const log = createOutputLog(path(), 20_001);
  log.write('é€😀'.repeat(10_000));
  log.close();
  const parts = /^([^\n]*)\n\[agentopsd: (\d+) bytes left out here\]\n([^\n]*)$/.exec(text());
  assert.ok(parts !== null);
  assert.is(text().includes('\ufffd'), false);
  const kept = Buffer.byteLength(parts[1] ?? '') + Buffer.byteLength(parts[3] ?? '');
  assert.is(kept + Number(parts[2]), 90_000);
});

test('a link in its place is refused, an older file is emptied', () => {
  writeFileSync(join(folder, 'target'), 'mine');
  symlinkSync(join(folder, 'target'), path());
  assert.throws(() => createOutputLog(path(), 4096));
  assert.is(readFileSync(join(folder, 'target'), 'utf8'), 'mine');
  writeFileSync(join(folder, 'old.log'), 'old');
  createOutputLog(join(folder, 'old.log'), 4096).close();
  assert.is(readFileSync(join(folder, 'old.log'), 'utf8'), '');
});

test('a full disk, a file cut by somebody else, and writing after the end throw nothing', () => {
  const log = createOutputLog(path(), 2048);
  log.write('x'.repeat(2000));
  writeFileSync(path(), '');
  log.write('y'.repeat(4000));
  log.close();
  log.write('late');
  assert.is(log.writtenBytes(), 6004);
  assert.ok(log.omittedBytes() >= 4);
  if (!existsSync('/dev/full')) return;
  const full = createOutputLog('/dev/full', 2048);
  full.write('lost');
  full.write('lost too');
  assert.match(full.problem() ?? '', /ENOSPC/);
  assert.is(full.omittedBytes(), 12);
  full.close();
});

test.run();

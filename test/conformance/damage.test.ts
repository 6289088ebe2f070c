/** Damage to a ledger of lines, hooks, and files by pattern. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { NotTested } from '../../spec/conformance/check.js';
import type { Ledger, Profile } from '../../spec/conformance/profile.js';
import { profileOf } from '../../spec/conformance/read-profile.js';
import { type Damage, damageLedger } from '../../spec/conformance/target/damage.js';
import { allFiles, fingerprint, matches, removeAllBut } from '../../spec/conformance/target/files.js';

const test = suite('conformance, damage');
const LINES = ['{"a":1,"job_type":"rpi.run"}', '{"b":2}', '{"c":3}', '{"d":4,"job_type":"rpi.run"}'];
const plain: Ledger = {
  paths: ['ledger/*.jsonl'],
  format: 'jsonl',
  corruptHook: undefined,
  volatile: [],
  keep: [],
  caches: [],
};
let folder: string;

test.before.each(() => {
  folder = mkdtempSync(join(tmpdir(), 'conformance-damage-'));
  mkdirSync(join(folder, 'ledger'));
  writeFileSync(join(folder, 'ledger/1.jsonl'), 'older\n');
  writeFileSync(join(folder, 'ledger/2.jsonl'), `${LINES.join('\n')}\n`);
});
test.after.each(() => rmSync(folder, { recursive: true, force: true }));

async function damaged(kind: Damage, ledger: Ledger | undefined = plain): Promise<string[]> {
  const profile: Profile = { ...profileOf({ environment: {}, checkIds: [] }), ledger };
  await damageLedger(profile, folder, kind);
  assert.is(readFileSync(join(folder, 'ledger/1.jsonl'), 'utf8'), 'older\n');
  return readFileSync(join(folder, 'ledger/2.jsonl'), 'utf8').split('\n');
}

test('middle: one line that is not the last is no JSON any more, and all else stays where it was', async () => {
  const lines = await damaged('middle');
  assert.equal([lines[0], lines[2], lines[3], lines[4]], [LINES[0], LINES[2], LINES[3], '']);
  assert.is(lines[1]?.length, LINES[1]?.length);
  assert.throws(() => JSON.parse(lines[1] ?? ''));
});

test('torn-tail: the last line is cut in half, without its end', async () => {
  const lines = await damaged('torn-tail');
  assert.equal(lines, [...LINES.slice(0, 3), LINES[3]?.slice(0, 14)]);
});

test('bad-meaning: a type that nobody knows, as long as the one that was there', async () => {
  const lines = await damaged('bad-meaning');
  assert.is(lines[0], '{"a":1,"job_type":"xxxxxxx"}');
  assert.equal(lines.slice(1, 4), LINES.slice(1));
});

test('a hook does it its own way, and says what it can not', async () => {
  const hook = ['sh', '-c', '[ {damage} = middle ] || exit 3; echo "$JOBSPEC_DAMAGE" > {data_dir}/ledger/2.jsonl'];
  const ledger = { ...plain, format: 'own', corruptHook: hook };
  assert.equal(await damaged('middle', ledger), ['middle', '']);
  await rejects(() => damaged('torn-tail', ledger), /does not do "torn-tail"/);
});

test('what is not said is not tested', async () => {
  await rejects(() => damaged('middle', { ...plain, format: 'sqlite' }), /needs ledger\.corrupt_hook/);
  await rejects(() => damaged('middle', { ...plain, paths: ['nowhere/*'] }), /no file of the ledger matches/);
  await rejects(() => damaged('cache'), /declares no caches/);
});

test('files by pattern', () => {
  assert.ok(matches('a/b/c.json', ['a/**']));
  assert.ok(matches('a/b/c.json', ['**/*.json']));
  assert.ok(matches('c.json', ['**/*.json']));
  assert.ok(matches('a/b/c.json', ['a/b']));
  assert.not(matches('a/b/c.json', ['a/*.json']));
  assert.not(matches('a/bxc', ['a/b.c']));
  assert.equal(allFiles(folder), ['ledger/1.jsonl', 'ledger/2.jsonl']);
  const before = fingerprint(folder, ['ledger/1*']);
  writeFileSync(join(folder, 'ledger/1.jsonl'), 'other\n');
  assert.equal(fingerprint(folder, ['ledger/1*']), before);
  assert.equal(removeAllBut(folder, ['ledger/2.jsonl']), ['ledger/1.jsonl']);
  assert.equal(allFiles(folder), ['ledger/2.jsonl']);
});

async function rejects(work: () => Promise<unknown>, message: RegExp): Promise<void> {
  try {
    await work();
  } catch (error) {
    assert.instance(error, NotTested);
    assert.match((error as Error).message, message);
    return;
  }
  assert.unreachable('it was done');
}

test.run();

/** What strace writes, read. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { systemCalls } from '../../spec/conformance/target/trace.js';

const test = suite('conformance, a trace of system calls');

test('a call names the files of its descriptors and of its texts', () => {
  const [opened, synced] = systemCalls(
    [
      '7 openat(AT_FDCWD</data>, "/data/ledger/1.jsonl", O_RDWR|O_DSYNC) = 21</data/ledger/1.jsonl>',
      '9 fdatasync(21</data/ledger/1.jsonl>) = 0',
    ].join('\n'),
  );
  assert.is(opened?.name, 'openat');
  assert.ok(opened?.paths.includes('/data/ledger/1.jsonl'));
  assert.equal(synced, {
    name: 'fdatasync',
    text: 'fdatasync(21</data/ledger/1.jsonl>) = 0',
    paths: ['/data/ledger/1.jsonl'],
  });
});

test('a call that others interrupt counts when it ends', () => {
  const calls = systemCalls(
    [
      '9 fsync(21</data/ledger/1.jsonl> <unfinished ...>',
      '7 write(25<socket:[1]>, "HTTP/1.1 202 Accepted", 21) = 21',
      '9 <... fsync resumed>) = 0',
    ].join('\n'),
  );
  assert.equal(
    calls.map(({ name }) => name),
    ['write', 'fsync'],
  );
  assert.equal(calls[1]?.paths, ['/data/ledger/1.jsonl']);
});

test('what is no call is passed over', () => {
  assert.equal(systemCalls('9 +++ exited with 0 +++\n--- SIGTERM {si_signo=SIGTERM} ---\n\nhalf a l'), []);
});

test.run();

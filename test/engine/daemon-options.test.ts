import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { AgentopsdError } from '../../lib/base/errors.js';
import { checkDaemonOptions, readAddress } from '../../lib/engine/daemon-options.js';

const options = suite('daemon options');

options('addresses: loopback alone, port 0 takes a free one', () => {
  assert.equal(readAddress('127.0.0.1:8765'), { host: '127.0.0.1', port: 8765 });
  assert.equal(readAddress('localhost:0'), { host: 'localhost', port: 0 });
  assert.equal(readAddress('[::1]:80'), { host: '::1', port: 80 });
  assert.equal(readAddress(':9000'), { host: '127.0.0.1', port: 9000 });
  assert.equal(readAddress('9000'), { host: '127.0.0.1', port: 9000 });
  for (const bad of [
    '',
    'x',
    '127.0.0.1',
    '127.0.0.1:70000',
    '0.0.0.0:80',
    '192.168.0.1:80',
    'example.org:80',
    '[::]:80',
    '127.0.0.1:-1',
  ]) {
    assert.throws(
      () => readAddress(bad),
      (error: unknown) => error instanceof AgentopsdError && error.code === 'usage',
      bad,
    );
  }
});

options('workers is a whole number within its bounds; the result is frozen', () => {
  const checked = checkDaemonOptions({ root: '.', workers: 0 });
  assert.is(checked.workers, 0);
  assert.ok(Object.isFrozen(checked));
  for (const workers of [-1, 1.5, 257, Number.NaN])
    assert.throws(() => checkDaemonOptions({ root: '.', workers }), /workers/);
});

options.run();

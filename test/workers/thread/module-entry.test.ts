/** The process of a module, whatever becomes of the one that started it. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const test = suite('module process');
const ENTRY = fileURLToPath(new URL('../../../workers/thread/module-entry.js', import.meta.url));
const ENDS_WITHIN_MS = 10_000;

test('who is orphaned before it could listen ends too', async () => {
  const child = fork(ENTRY, { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
  // Long before it has read its own code: nothing tells it later.
  child.disconnect();
  const tooLong = setTimeout(() => child.kill('SIGKILL'), ENDS_WITHIN_MS);
  const [code, signal] = await once(child, 'exit');
  clearTimeout(tooLong);
  assert.equal([code, signal], [1, null]);
});

test.run();

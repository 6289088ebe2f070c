import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { freePort } from '../../spec/conformance/target/ports.js';

const test = suite('ports');
const OTHER = fileURLToPath(new URL('./port-chooser.js', import.meta.url));

/** These, and then those behind the last. */
function oneOf(wanted: readonly number[]): () => number {
  const left = [...wanted];
  let behind = left.at(-1) ?? 0;
  return () => left.shift() ?? ++behind;
}

test('a port is given once: not to another run of the program either, before anybody listens there', async () => {
  const first = await freePort();
  const next = await freePort();
  const own = await freePort(oneOf([first, next]));
  assert.not([first, next].includes(own), 'what is held is passed by');
  const other = fork(OTHER, [String(first), String(next)]);
  const [told] = (await once(other, 'message')) as [{ port: number }];
  assert.not([first, next].includes(told.port), 'the other process passes by both');
  await once(other, 'exit');
  const server = createServer().listen(first, '127.0.0.1');
  await once(server, 'listening');
  server.close();
});

test('a port where somebody listens is passed by', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const free = await freePort(oneOf([port]));
  assert.is.not(free, port);
  server.close();
});

test.run();

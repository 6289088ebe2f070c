/** The command line: wrong use, nobody there, somebody else's machine, servers that answer and keep nothing. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { conformance, judged } from './program.js';

const test = suite('conformance, the command');
const LEVELS = ['observe', 'enqueue', 'execute', 'project'] as const;

for (const [what, status, body] of [
  ['404 for everything', 404, '{"error":"not found"}'],
  ['200 {} for everything', 200, '{}'],
] as const) {
  test(`a dumb server gets no level: ${what}`, async () => {
    const { server, url } = await dumb(status, body);
    try {
      const { code, report } = await judged('--url', url);
      assert.is(code, 1);
      for (const level of LEVELS) assert.is(report.levels[level], 'NON-CONFORMANT', level);
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  });
}

test('nobody there, another machine, a level that is none', async () => {
  const { server, url } = await dumb(404, '');
  await new Promise((resolve) => server.close(resolve));
  const nobody = await conformance('--url', url);
  assert.is(nobody.code, 2);
  assert.match(nobody.stderr, /does not answer: the connection was refused/);
  const other = await conformance('--url', 'http://192.0.2.1:8765');
  assert.is(other.code, 2);
  assert.match(other.stderr, /--i-own-this-target/);
  const level = await conformance('--level', 'five');
  assert.is(level.code, 2);
  assert.match(level.stderr, /there is no level five/);
  const word = await conformance('--urls', url);
  assert.is(word.code, 2);
  assert.match(word.stderr, /--urls/);
  assert.is((await conformance('--profile', 'no-such-file.json')).code, 2);
  assert.is((await conformance('--url', url, '--only', 'observe.nothing')).code, 2);
});

test('the catalogue is printed', async () => {
  const all = await conformance('--list');
  assert.is(all.code, 0);
  assert.is(all.stdout.trim().split('\n').length, 133);
  const some = await conformance('--list', '--level', 'project', '--json');
  const entries = JSON.parse(some.stdout) as { id: string; mutant: string }[];
  assert.is(entries.length, 21);
  assert.ok(entries.every(({ id, mutant }) => id.startsWith('project.') && mutant !== ''));
  assert.match((await conformance('--help')).stdout, /exit codes:/);
});

async function dumb(status: number, body: string): Promise<{ server: Server; url: string }> {
  const server = createServer((request, response) => {
    request.resume();
    request.on('end', () => response.writeHead(status, { 'content-type': 'application/json' }).end(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

test.run();

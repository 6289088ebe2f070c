/** The command line: wrong use, nobody there, somebody else's machine, servers that answer and keep nothing. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { conformance, type Judged, judged } from './program.js';

const test = suite('conformance, the command');
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

test('known failures are told, and fail; what is declared as unsupported leaves a level incomplete', async () => {
  const { server, url } = await dumb(404, '{"error":"not found"}');
  const folder = mkdtempSync(join(tmpdir(), 'conformance-command-'));
  const run = (more: object): Promise<Judged> => {
    const profile = join(folder, 'profile.json');
    writeFileSync(profile, JSON.stringify({ implementation: 'dumb', base_url: url, claims: ['observe'], ...more }));
    return judged('--profile', profile, '--level', 'observe', '--only', 'observe.health.ok,observe.ready.shape');
  };
  try {
    const exception = { check: 'observe.*', reason: 'nobody has written it yet', issue: 'no. 7' };
    const known = await run({ known_failures: [exception] });
    assert.is(known.code, 1);
    assert.equal(known.report.levels, { observe: 'NON-CONFORMANT' });
    assert.is(known.report.totals.fail, 2);
    for (const { known_failure } of known.report.checks)
      assert.equal(known_failure, { reason: exception.reason, issue: exception.issue });
    assert.match(known.stdout, /✗ fail {2}observe\.health\.ok {2}MUST {2}known: nobody has written it yet/);
    assert.match(known.stdout, /2 of 2 checks with findings are listed under known_failures/);
    const some = await run({ known_failures: [{ ...exception, check: 'observe.ready.shape' }] });
    assert.is(some.code, 1);
    const unsupported = await run({ unsupported: [exception] });
    assert.is(unsupported.code, 4);
    assert.equal(unsupported.report.levels, { observe: 'INCOMPLETE' });
    assert.is(unsupported.report.totals.pass, 0);
  } finally {
    rmSync(folder, { recursive: true, force: true });
    await new Promise((resolve) => server.close(resolve));
  }
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

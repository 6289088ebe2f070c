import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isLoopbackAddress, isTrustedHost } from '../../lib/http/host.js';
import { routes } from '../../lib/http/routes.js';
import { exchangeBytes } from '../support/http-client.js';
import { type Served, serve } from '../support/http-kernel.js';

const test = suite<{ served: Served }>('host');

test.before.each(async (context) => {
  context.served = await serve();
});
test.after.each(async (context) => {
  await context.served.close();
});

test('the loopback names with our port, and what the configuration adds', () => {
  const trusted = (host: string, allowed: string[] = [], port = 8765) => isTrustedHost(host, port, allowed);
  for (const host of ['127.0.0.1:8765', 'localhost:8765', 'LocalHost:8765', '[::1]:8765', '127.0.0.2:8765'])
    assert.ok(trusted(host), host);
  const others = [
    '127.0.0.1',
    'localhost',
    '127.0.0.1:80',
    'localhost:87650',
    'evil.example:8765',
    'localhost.evil.example:8765',
  ];
  others.push(
    '',
    '0.0.0.0:8765',
    '127.0.0.1.evil.example:8765',
    '127.1:8765',
    '127.0.0.256:8765',
    '[::1]',
    'localhost:8765@evil',
    '127.0.0.01:8765',
  );
  for (const host of others) assert.not(trusted(host), host);
  assert.ok(trusted('127.0.0.1', [], 80));
  assert.ok(trusted('box.local', ['box.local']));
  assert.ok(trusted('Box.local:8765', ['box.local']));
  assert.not(trusted('box.local:9000', ['box.local']));
  assert.ok(trusted('localhost:9000', ['localhost:9000']));
});

test('loopback addresses', () => {
  for (const address of ['127.0.0.1', '127.8.9.10', '::1', '::ffff:127.0.0.1']) assert.ok(isLoopbackAddress(address));
  for (const address of ['10.0.0.1', '::', '0.0.0.0', '::ffff:10.0.0.1', '', undefined])
    assert.not(isLoopbackAddress(address));
});

test('a foreign name is refused on every route and path, whatever the method (A5)', async ({ served }) => {
  for (const path of [...routes.map((route) => route.path.replace('{id}', 'x')), '/nowhere', '/health']) {
    for (const method of ['GET', 'POST', 'DELETE']) {
      const answer = await served.ask(method, path, { headers: { Host: `evil.example:${served.port}` } });
      assert.is(answer.status, 403, `${method} ${path}`);
      assert.equal(answer.body, { error: 'daemon mutation denied: host is not trusted' });
    }
  }
});

test('no host, two hosts and an absolute target are 400 (A5)', async ({ served }) => {
  const host = `Host: 127.0.0.1:${served.port}\r\n`;
  const status = async (head: string) =>
    (await exchangeBytes(served.port, `${head}Connection: close\r\n\r\n`)).split('\r\n')[0];
  assert.match((await status(`GET /v1/health HTTP/1.1\r\n${host}`)) ?? '', ' 200 ');
  assert.match((await status('GET /v1/health HTTP/1.1\r\n')) ?? '', ' 400 ');
  assert.match((await status(`GET /v1/health HTTP/1.1\r\n${host}${host}`)) ?? '', ' 400 ');
  assert.match((await status(`GET /v1/health HTTP/1.1\r\n${host}Host: evil.example\r\n`)) ?? '', ' 400 ');
  assert.match((await status(`GET http://127.0.0.1:${served.port}/v1/health HTTP/1.1\r\n${host}`)) ?? '', ' 400 ');
  assert.match((await status(`GET http://evil.example/v1/health HTTP/1.1\r\n${host}`)) ?? '', ' 400 ');
  assert.match((await status(`OPTIONS * HTTP/1.1\r\n${host}`)) ?? '', ' 400 ');
});

test.run();

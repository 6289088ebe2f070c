/** Profiles: what counts where nothing is said, and each mistake told with its place. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Profile } from '../../spec/conformance/profile.js';
import { profileOf, UsageError } from '../../spec/conformance/read-profile.js';
import { onlyLoopback } from '../../spec/conformance/target/loopback.js';

const test = suite('conformance, profiles');
const checkIds = ['enqueue.idem.key', 'observe.health.ok'];
let folder: string;

test.before(() => {
  folder = mkdtempSync(join(tmpdir(), 'conformance-profile-'));
});
test.after(() => rmSync(folder, { recursive: true, force: true }));

function read(body: unknown, environment: Record<string, string> = {}): Profile {
  const profilePath = join(folder, 'profile.json');
  writeFileSync(profilePath, typeof body === 'string' ? body : JSON.stringify(body));
  return profileOf({ profilePath, environment, checkIds });
}

function mistakesOf(body: unknown): string {
  try {
    read(body);
  } catch (error) {
    assert.instance(error, UsageError);
    return (error as Error).message;
  }
  throw new Error('it was read');
}

test('an address alone', () => {
  const profile = profileOf({
    url: 'http://127.0.0.1:9000/',
    environment: { JOBSPEC_TOKEN: ' secret-of-it ' },
    checkIds,
  });
  assert.is(profile.baseUrl, 'http://127.0.0.1:9000');
  assert.is(profile.token, 'secret-of-it');
  assert.equal(profile.claims, ['observe', 'enqueue', 'execute', 'project']);
  assert.is(profile.start, undefined);
  assert.is(profile.options, undefined);
  assert.is(profile.maxBodyBytes, 1_048_576);
  assert.is(profileOf({ environment: {}, checkIds }).token, undefined);
});

test('a started server gets a token of its own, and a port', () => {
  const profile = read({ implementation: 'x', start: { command: 'serve --port {port}' } });
  assert.match(profile.token ?? '', /^conformance-[0-9a-f]{36}$/);
  assert.is(profile.baseUrl, 'http://127.0.0.1:{port}');
  assert.equal(profile.start?.command, ['sh', '-c', 'serve --port {port}']);
  assert.is(
    read({ implementation: 'x', start: { command: ['a'] } }, { JOBSPEC_TOKEN: 'given-one' }).token,
    'given-one',
  );
});

test('each mistake is told with its place', () => {
  assert.match(mistakesOf('{'), /profile\.json is no JSON/);
  assert.match(mistakesOf([]), /has to be a JSON object/);
  assert.match(mistakesOf({}), /the profile: "implementation" is missing/);
  assert.match(
    mistakesOf({ implementation: 'x', base_uri: 'y' }),
    /unknown member "base_uri"; did you mean "base_url"\?/,
  );
  assert.match(
    mistakesOf({ implementation: 'x', claims: ['observe', 'all'] }),
    /claims\.1: "all" is none of observe, /,
  );
  assert.match(mistakesOf({ implementation: 'x', lease_ms: 'short' }), /lease_ms: must be integer, not "short"/);
  assert.match(mistakesOf({ implementation: 'x', workload: { hang: {} } }), /workload\.hang: "job_type" is missing/);
  assert.match(mistakesOf({ implementation: 'x', base_url: 'ftp://a' }), /ftp:\/\/a is no address of a server/);
  const two = mistakesOf({ implementation: '', unsupported: [{ check: 'enqueue.idem.keys', reason: 'not yet' }] });
  assert.match(two, /implementation: must NOT have fewer than 1 characters/);
  assert.match(two, /unsupported: no check is called enqueue\.idem\.keys; did you mean "enqueue\.idem\.key"\?/);
  assert.match(
    mistakesOf({ implementation: 'x', start: { command: ['a'], seed_dir: 'none' } }),
    /start\.seed_dir: no folder/,
  );
});

test('a token that no header can carry is refused', () => {
  assert.throws(() => profileOf({ environment: { JOBSPEC_TOKEN: 'a\nb' }, checkIds }), /no header can carry/);
});

test('what this machine is called', () => {
  for (const own of ['http://127.0.0.1:{port}', 'http://localhost:1', 'http://[::1]:8765', 'https://127.9.9.9'])
    assert.ok(onlyLoopback(own), own);
  for (const other of ['http://10.0.0.1', 'http://example.org', 'http://127.0.0.1.example.org', 'http://[::2]'])
    assert.not(onlyLoopback(other), other);
});

test.run();

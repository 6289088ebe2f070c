import * as fs from 'node:fs';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { AgentopsdError } from '../../lib/base/errors.js';
import { createNodeDisk } from '../../lib/storage/node-disk.js';
import { createNodeRandom } from '../../lib/storage/node-random.js';
import { loadTokens, makeToken, parseTokenFile } from '../../lib/storage/token-file.js';

const tokens = suite('token file');
const disk = createNodeDisk();
const all = ['submit_job', 'cancel_job', 'openclaw_trigger', 'admin'];
let folder = '';

tokens.before.each(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'agentopsd-')));
});
tokens.after.each(async () => {
  await rm(folder, { recursive: true, force: true });
});

const unsafe = (error: unknown): boolean => error instanceof AgentopsdError && error.code === 'token_file_unsafe';
const refused = async (work: Promise<unknown>): Promise<AgentopsdError> => {
  try {
    await work;
  } catch (error) {
    if (error instanceof AgentopsdError) return error;
  }
  throw new Error('it was not refused');
};

tokens('a plain token is legacy, may do all, and is local', () => {
  assert.equal(parseTokenFile('  secret-1\n', 'f'), [
    { name: 'legacy', token: 'secret-1', capabilities: all, localOnly: true },
  ]);
});

tokens('a list is read with its capabilities', () => {
  const text = JSON.stringify({
    tokens: [
      { name: 'phone', token: 'aaa', capabilities: ['submit_job'] },
      { name: 'desk', token: ' bbb ', capabilities: ['admin', 'cancel_job'], local_only: true },
    ],
  });
  assert.equal(parseTokenFile(text, 'f'), [
    { name: 'phone', token: 'aaa', capabilities: ['submit_job'], localOnly: false },
    { name: 'desk', token: 'bbb', capabilities: ['admin', 'cancel_job'], localOnly: true },
  ]);
});

const good = { name: 'phone', token: 'aaa', capabilities: ['submit_job'] };
for (const [what, text] of [
  ['nothing', ''],
  ['white space', ' \n '],
  ['white space inside', 'two words'],
  ['letters that no header carries', 'tökén'],
  ['two lines', 'one\ntwo'],
  ['broken JSON', '{"tokens":'],
  ['a list at the top', '[]'],
  ['no tokens', '{}'],
  ['an empty list', '{"tokens":[]}'],
  ['an entry that is no object', '{"tokens":["a"]}'],
  ...(
    [
      ['no name', { name: undefined }],
      ['a blank name', { name: ' ' }],
      ['a control character in the name', { name: 'a\u0007' }],
      ['no token', { token: undefined }],
      ['a blank token', { token: ' ' }],
      ['a token with white space', { token: 'a b' }],
      ['no capabilities', { capabilities: undefined }],
      ['empty capabilities', { capabilities: [] }],
      ['an unknown capability', { capabilities: ['submit_jobs'] }],
      ['local_only as text', { local_only: 'true' }],
      ['a member nobody knows', { 'local-only': true }],
    ] as [string, object][]
  ).map(([name, change]) => [name, JSON.stringify({ tokens: [{ ...good, ...change }] })] as [string, string]),
  ['a name twice', JSON.stringify({ tokens: [good, { ...good, token: 'bbb' }] })],
  ['a token twice', JSON.stringify({ tokens: [good, { ...good, name: 'other' }] })],
] as [string, string][]) {
  tokens(`unusable: ${what}`, () => {
    assert.throws(
      () => parseTokenFile(text, 'the file'),
      (error: unknown) => {
        assert.ok(unsafe(error));
        assert.not.match((error as Error).message, /aaa|bbb|tökén/);
        return true;
      },
    );
  });
}

tokens('come in their order: file, variables, home', async () => {
  const file = join(folder, 'tokens');
  fs.writeFileSync(file, 'from-file', { mode: 0o600 });
  const home = { folder };
  assert.equal(await loadTokens({ disk, env: {}, tokenFile: undefined, home }), []);
  assert.is(await makeToken({ disk, random: createNodeRandom() }, home), true);
  assert.is(await makeToken({ disk, random: createNodeRandom() }, home), false);
  const made = fs.readFileSync(join(folder, 'token'), 'utf8').trim();
  assert.match(made, /^[A-Za-z0-9_-]{43}$/);
  assert.is(fs.statSync(join(folder, 'token')).mode & 0o777, 0o600);
  const first = async (env: Record<string, string>, tokenFile?: string): Promise<string | undefined> =>
    (await loadTokens({ disk, env, tokenFile, home }))[0]?.token;
  assert.is(await first({}), made);
  assert.is(await first({ AGENTOPS_DAEMON_TOKEN: ' old ' }), 'old');
  assert.is(await first({ AGENTOPSD_TOKEN: ' ', AGENTOPS_DAEMON_TOKEN: 'old' }), 'old');
  assert.is(await first({ AGENTOPSD_TOKEN: 'new', AGENTOPS_DAEMON_TOKEN: 'old' }), 'new');
  assert.is(await first({ AGENTOPSD_TOKEN: 'new' }, file), 'from-file');
});

tokens('files that others may use, or that are not there, are refused', async () => {
  const file = join(folder, 'tokens');
  fs.writeFileSync(file, 'from-file');
  for (const mode of [0o640, 0o604, 0o660, 0o601]) {
    fs.chmodSync(file, mode);
    const error = await refused(loadTokens({ disk, env: {}, tokenFile: file, home: undefined }));
    assert.is(error.code, 'token_file_unsafe');
    assert.match(error.hint ?? '', 'chmod 600');
  }
  assert.ok(unsafe(await refused(loadTokens({ disk, env: {}, tokenFile: join(folder, 'none'), home: undefined }))));
  fs.renameSync(file, join(folder, 'token'));
  assert.ok(unsafe(await refused(loadTokens({ disk, env: {}, tokenFile: undefined, home: { folder } }))));
});

tokens('a link that the user names is followed, one in the home is not', async () => {
  fs.writeFileSync(join(folder, 'secret'), 'mounted', { mode: 0o600 });
  fs.symlinkSync(join(folder, 'secret'), join(folder, 'token'));
  assert.is(
    (await loadTokens({ disk, env: {}, tokenFile: join(folder, 'token'), home: undefined }))[0]?.token,
    'mounted',
  );
  assert.is((await refused(loadTokens({ disk, env: {}, tokenFile: undefined, home: { folder } }))).code, 'file_unsafe');
});

tokens.run();

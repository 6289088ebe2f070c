import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Declared, parseConfiguration } from '../../lib/model/configuration.js';
import { createNodeDisk } from '../../lib/storage/node-disk.js';
import { createNodeRandom } from '../../lib/storage/node-random.js';
import { describeDeclared, runsNothing, trustConfiguration, trustStanding } from '../../lib/storage/trust.js';

const test = suite('trust');
const disk = createNodeDisk();
const seams = { disk, random: createNodeRandom() };
let folder = '';
let home = { folder: '', root: '/a/root' };
test.before.each(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'agentopsd-')));
  mkdirSync(join(folder, 'home'), { mode: 0o700 });
  home = { folder: join(folder, 'home'), root: '/a/root' };
});
test.after.each(() => rmSync(folder, { recursive: true, force: true }));

const declared = (text: string): Declared => parseConfiguration(text).configuration?.declared as Declared;
const commands = declared(
  'executors: { wiki.forge: { command: [node, "a b.mjs"], env: [KEY] }, rpi.run: { agent: claude }, dream.run: off }',
);
const isTrusted = async (wanted: Declared): Promise<boolean> => (await trustStanding(disk, home, wanted)).trusted;

test('what names no program needs no trust, anything else does', async () => {
  for (const text of ['', 'workers: 2', 'executors: { dream.run: off, rpi.run: false }'])
    assert.ok(await isTrusted(declared(text)), text);
  const texts = [
    'executors: { rpi.run: { agent: claude } }',
    'executors: { rpi.run: { module: x.mjs } }',
    'agents: { a: { command: [x] } }',
    'allow_payload_commands: true',
  ];
  for (const text of texts) {
    assert.not(await isTrusted(declared(text)), text);
    assert.not(runsNothing(declared(text)));
  }
});

test('trust holds for exactly this: any other word, name or root has none', async () => {
  await trustConfiguration(seams, home, commands);
  assert.ok(await isTrusted(commands));
  assert.ok(
    await isTrusted(
      declared(
        'workers: 9\nexecutors: { dream.run: off, rpi.run: { agent: claude }, wiki.forge: { env: [KEY], command: [node, "a b.mjs"] } }',
      ),
    ),
  );
  const others = [
    'executors: { wiki.forge: { command: [node, "a b.mjs", -x], env: [KEY] }, rpi.run: { agent: claude }, dream.run: off }',
    'executors: { wiki.forge: { command: [node, "a b.mjs"], env: [KEY, B] }, rpi.run: { agent: claude }, dream.run: off }',
    'executors: { wiki.build: { command: [node, "a b.mjs"], env: [KEY] }, rpi.run: { agent: claude }, dream.run: off }',
  ];
  for (const text of others) assert.not(await isTrusted(declared(text)), text);
  assert.not(await isTrusted({ ...commands, allow_payload_commands: true }));
  assert.not((await trustStanding(disk, { ...home, root: '/another/root' }, commands)).trusted);
});

test('it says what would run and what has changed, safe to print', async () => {
  assert.equal(describeDeclared(commands), [
    'wiki.forge: command node "a b.mjs" (also gets KEY)',
    'rpi.run: agent claude',
    'dream.run: off',
  ]);
  assert.equal((await trustStanding(disk, home, commands)).changes.length, 3);
  await trustConfiguration(seams, home, commands);
  const changed = declared(
    'executors: { rpi.run: { agent: claude }, dream.run: { command: ["\\e[2Jx"] } }\nagents: { claude: { command: [claude, -p] } }\nallow_payload_commands: true',
  );
  const { changes } = await trustStanding(disk, home, changed);
  assert.equal(changes, [
    '- dream.run: off',
    '- wiki.forge: command node "a b.mjs" (also gets KEY)',
    '+ dream.run: command "\\u001b[2Jx"',
    '+ agent claude: claude -p',
    '+ allow_payload_commands: commands that stand in a payload or in a suite of evals run too',
  ]);
});

test('the record is private, and one that is broken or open to others trusts nothing', async () => {
  await trustConfiguration(seams, home, commands);
  const path = join(home.folder, 'trust.json');
  assert.is(statSync(path).mode & 0o777, 0o600);
  const whole = readFileSync(path, 'utf8');
  for (const text of [
    '',
    '{',
    '[]',
    '{"schema_version":1}',
    whole.replace('"schema_version":1', '"schema_version":2'),
  ]) {
    writeFileSync(path, text);
    assert.not(await isTrusted(commands), text);
  }
  writeFileSync(path, whole);
  assert.ok(await isTrusted(commands));
  chmodSync(path, 0o666);
  let code = '';
  await isTrusted(commands).catch((error: { code: string }) => {
    code = error.code;
  });
  assert.is(code, 'file_unsafe');
});

test.run();

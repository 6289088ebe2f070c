import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { factoryLimits } from '../../workers/factory/limits.js';
import {
  artifact,
  assertNoPilotLeft,
  assertRejected,
  type FactoryRoom,
  openFactoryRoom,
  patchOf,
  pilot,
  recorded,
} from '../support/factory-room.js';

const test = suite<FactoryRoom>('factory.local-pilot');
test.before.each(openFactoryRoom);
test.after.each((room) => {
  assertNoPilotLeft(room);
  room.bench.remove();
});

test('the commands of an order carry it out in a worktree; what they changed is the difference', async (room) => {
  const { bench, git, base } = room;
  const commands = [
    'printf "two\\r\\n" > src/a.txt && rm docs/index.md && printf "\\000\\377" > src/raw.bin',
    `mkdir "new $(printf 'a\\nb')" && (cd new*; echo x > file) && ln -s ../src docs-link && echo hidden > ignored.log`,
    'git rev-parse HEAD && git add -A && git -c user.name=n -c user.email=e commit -qm done && echo later > src/later.txt',
  ];
  bench.put('.gitignore', '*.log\n');
  const start = git.commit('ignores');
  const report = await pilot(room, {
    commands,
    validation_commands: ['test -f src/later.txt', 'git diff --quiet HEAD -- src/a.txt'],
  });
  assert.equal([report.verdict, report.carried_out_by], ['pass', 'commands']);
  assert.is(report.commands[2]?.output, `${start}\n`);
  assert.equal(
    report.diff.changes.map(({ status, path }) => [status, path]),
    [
      ['added', 'docs-link'],
      ['removed', 'docs/index.md'],
      ['added', 'new a\nb/file'],
      ['changed', 'src/a.txt'],
      ['added', 'src/later.txt'],
      ['added', 'src/raw.bin'],
    ],
  );
  const copy = join(dirname(bench.root), 'copy');
  git.run('clone', '-q', '.', copy);
  execFileSync('git', ['apply', join(bench.root, bench.artifacts['diff.patch'] ?? '')], { cwd: copy, stdio: 'pipe' });
  const applied = execFileSync('git', ['status', '--porcelain'], { cwd: copy, encoding: 'utf8' });
  assert.is(applied.trim().split('\n').length, 6);
  assert.is(git.run('status', '--porcelain', '--', '.', ':(exclude).agents'), '');
  assert.is(git.run('for-each-ref', 'refs/heads').split('\n').length, 1);
  assert.is(git.run('rev-parse', 'HEAD~1'), base);
});

test('a pilot that changes nothing leaves an empty difference and no object', async (room) => {
  const objects = room.git.run('count-objects');
  const report = await pilot(room, { commands: ['echo unseen > /dev/null', 'echo x > new.txt; rm new.txt'] });
  assert.equal([report.verdict, report.diff.bytes, report.diff.changed_count], ['pass', 0, 0]);
  assert.is(patchOf(room), '');
  await pilot(room, { commands: ['echo x > kept.txt'] });
  assert.match(patchOf(room), '+x');
  assert.is(room.git.run('count-objects'), objects);
});

test('a failing pilot is a completed job that says what failed', async (room) => {
  const failing = await pilot(room, { commands: ['echo x > src/a.txt', 'echo bad >&2; exit 3', 'touch never'] });
  assert.equal([failing.verdict, failing.why], ['fail', 'command failed: echo bad >&2; exit 3']);
  assert.equal(
    failing.commands.map(({ exit_code, output }) => [exit_code, output]),
    [
      [0, ''],
      [3, 'bad\n'],
    ],
  );
  assert.is(failing.diff.changed_count, 1);
  const invalid = await pilot(room, { commands: ['true'], validation_commands: ['false', 'kill -9 $$', 'pwd'] });
  assert.equal([invalid.verdict, invalid.why], ['fail', 'validation failed: false']);
  assert.equal(
    invalid.validation.map(({ end, output }) => [end, output]),
    [
      ['exited', ''],
      ['signalled', ''],
      ['exited', '<tree>\n'],
    ],
  );
  const slow = await pilot(room, { commands: ['sleep 60'], command_timeout_seconds: 1 });
  assert.equal([slow.verdict, slow.commands[0]?.end], ['fail', 'timeout']);
});

test('changes beside the paths of the order fail it', async (room) => {
  const report = await pilot(room, { paths: ['src'], commands: ['echo x > src/b.txt; echo x > docs/b.md'] });
  assert.equal([report.verdict, report.outside_paths], ['fail', ['docs/b.md']]);
  const within = await pilot(room, {
    paths: ['src', 'docs/b.md'],
    commands: ['echo x > src/b.txt; echo x > docs/b.md'],
  });
  assert.is(within.verdict, 'pass');
});

test('more than a difference can say fails the job, and says what to do', async (room) => {
  const megabytes = factoryLimits.diffBytes / 1_048_576 + 1;
  const commands = [`yes 'a line of text' | head -c ${megabytes}M > big.txt`];
  await assertRejected(pilot(room, { commands }), /let git ignore what is no result/);
});

test('a denied order is not tried, and says so as an admission does', async (room) => {
  await pilot(room, { commands: ['touch ../../../../../tried'], base_sha: '0'.repeat(40) });
  assert.is(artifact(room, 'pilot.json'), undefined);
  assert.is((artifact(room, 'admission.json') as { allowed: boolean }).allowed, false);
  assert.equal(
    recorded(room).map(({ event_type }) => event_type),
    ['factory.admission_decided'],
  );
});

test('no hook or filter of the repository runs, and a process left behind is ended', async (room) => {
  const { bench, git } = room;
  bench.put('.gitattributes', '* filter=evil\n');
  git.commit('attributes');
  const sprung = join(dirname(bench.root), 'sprung');
  for (const name of ['filter.evil.smudge', 'filter.evil.clean', 'core.fsmonitor'])
    git.run('config', name, `touch ${sprung}; cat`);
  writeFileSync(join(bench.root, '.git/hooks/post-checkout'), `#!/bin/sh\ntouch ${sprung}\n`, { mode: 0o755 });
  // What it does itself is its own affair: here it does nothing with git.
  const report = await pilot(room, { commands: ['echo x > src/a.txt; (sleep 300; touch late) & '] });
  assert.is(report.verdict, 'pass');
  assert.not(existsSync(sprung));
});

test('a worktree whose files say something else about it is not believed', async (room) => {
  const elsewhere = join(dirname(room.bench.root), 'elsewhere');
  mkdirSync(elsewhere);
  writeFileSync(join(elsewhere, 'precious'), '');
  const report = await pilot(room, {
    commands: [
      `git init -q ${elsewhere}; echo "gitdir: ${elsewhere}/.git" > .git; echo x > src/a.txt; ln -s ${elsewhere} out; mkdir closed; chmod 0 closed`,
    ],
  });
  assert.equal(
    report.diff.changes.map(({ path }) => path),
    ['out', 'src/a.txt'],
  );
  assert.equal(readdirSync(elsewhere).sort(), ['.git', 'precious']);
});

test('an attempt that is to stop leaves no worktree', async (room) => {
  const { bench } = room;
  const running = pilot(room, { commands: ['touch started; sleep 300'] }).then(
    () => 'completed',
    (error: Error) => error.message,
  );
  const runs = join(bench.root, '.agents/runs/job-1/attempt-1/pilot');
  const end = performance.now() + 10_000;
  const started = () =>
    existsSync(runs) &&
    readdirSync(runs, { recursive: true, encoding: 'utf8' }).some((name) => name.endsWith('/started'));
  while (!started() && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 10));
  bench.stopping.abort(new Error('cancelled'));
  assert.is(await running, 'cancelled');
});

test.run();

import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { evalSuite } from '../../workers/eval-suite.js';
import { refusalOf, sha256, type WorkerBench } from '../support/builtin-context.js';
import { broken, createEvalBench, putSuite, runCase, runSuite, SUITE } from '../support/eval-bench.js';

const test = suite<WorkerBench>('eval.suite');

test.before.each((context) => {
  Object.assign(context, createEvalBench());
});
test.after.each((context) => context.remove());

const sh = (script: string) => ['sh', '-c', script];

const BAKERY = `
title: The bakery
threshold: 0.75
defaults:
  fixture: fixtures/bakery
  env: { GREETING: hello }
cases:
  - id: bakes
    title: Bread comes out
    weight: 3
    command: [sh, tools/bake.sh, "4"]
    files: [tools]
    stdin: flour
    env: { OVEN: hot }
    expect:
      stdout: { contains: [hello, flour], lacks: cold, matches: "^loaves: \\\\d+$" }
      stderr: { equals: "the oven is hot\\n" }
      files:
        out/bread.json: { exists: true, contains: rye }
        recipe.txt: { absent: true }
      json:
        - { file: out/bread.json, pointer: /loaves/1, equals: { kind: rye, at: 1 } }
  - id: burns
    command: [sh, -c, "echo smoke; exit 3"]
    expect: { exit_code: 0, stdout: { contains: bread } }
`;

function putBakery(bench: WorkerBench): void {
  bench.put('fixtures/bakery/recipe.txt', 'water\n');
  bench.put(
    'tools/bake.sh',
    [
      'echo "$GREETING from $AGENTOPS_EVAL_CASE"; cat; echo; echo "loaves: $1"; echo "the oven is $OVEN" >&2',
      `rm recipe.txt; mkdir out; echo '{"loaves":[1,{"at":1,"kind":"rye"}]}' > out/bread.json`,
    ].join('\n'),
  );
}

test('cases run in copies, are held against what they expect, and weighed', async (bench) => {
  putBakery(bench);
  const report = await runSuite(bench, BAKERY);
  const [bakes, burns] = report.cases;
  assert.equal(broken(bakes?.attempts[0] ?? { expectations: [] }), []);
  assert.equal(bakes?.attempts[0]?.expectations.length, 10);
  assert.equal([bakes?.verdict, bakes?.title, bakes?.weight], ['pass', 'Bread comes out', 3]);
  assert.equal(broken(burns?.attempts[0] ?? { expectations: [] }), [
    'exit_code equals 0: 3',
    'stdout contains "bread": smoke\n',
  ]);
  assert.equal(
    { ...report, cases: undefined },
    {
      schema_version: 1,
      built_by: 'eval.suite',
      suite: { path: SUITE, sha256: sha256(BAKERY), title: 'The bakery' },
      verdict: 'pass',
      score: 0.75,
      threshold: 0.75,
      weight: { passed: 3, total: 4 },
      counts: { cases: 2, passed: 1, failed: 1 },
      cases: undefined,
    },
  );
  assert.is(bench.read('fixtures/bakery/recipe.txt'), 'water\n', 'the original is as it was');
  assert.not.ok(existsSync(join(bench.root, '.agents/runs/job-1/attempt-1/copies')), 'no copy is left');
  const times = JSON.parse(bench.read(bench.artifacts['times.json'] ?? '')) as { cases: { duration_ms: number[] }[] };
  assert.equal(
    times.cases.map(({ duration_ms }) => duration_ms.length),
    [1, 1],
  );
});

test('a suite that fails is a completed job; the same suite gives the same bytes', async (bench) => {
  putBakery(bench);
  assert.is((await runSuite(bench, BAKERY.replace('threshold: 0.75', ''))).verdict, 'fail');
  const first = bench.read(bench.artifacts['run.json'] ?? '');
  await runSuite(bench);
  assert.is(bench.artifacts['run.json'], '.agents/runs/job-2/attempt-1/artifacts/run.json');
  assert.is(bench.read(bench.artifacts['run.json'] ?? ''), first);
});

test('what is wrong with a run is told apart, without the place that it ran in', async (bench) => {
  const place = await runCase(bench, {
    command: sh('echo "$PWD $TMPDIR"; exit 1'),
    expect: { stdout: { equals: '' } },
  });
  assert.equal(broken(place), ['exit_code equals 0: 1', 'stdout equals "": <copy> <tmp>\n']);
  const absent = await runCase(bench, { command: ['./nothing'], expect: { exit_code: 0 } });
  assert.equal([absent.end, absent.verdict], ['not_started', 'fail']);
  assert.match(absent.why ?? '', '<copy>/nothing is not there');
  const killed = await runCase(bench, { command: sh('kill -9 $$'), expect: { exit_code: 9 } });
  assert.equal([killed.end, killed.signal, killed.verdict], ['signalled', 'SIGKILL', 'fail']);
});

test('a case is ended when its time, its silence or its output is over', async (bench) => {
  const slow = await runCase(bench, {
    command: sh('while :; do echo .; sleep 0.05; done'),
    timeout_seconds: 0.4,
    expect: { exit_code: 0 },
  });
  assert.equal([slow.end, slow.verdict], ['timeout', 'fail']);
  const silent = await runCase(bench, { command: ['sleep', '60'], idle_seconds: 0.2, expect: { exit_code: 0 } });
  assert.equal([silent.end, silent.verdict], ['idle', 'fail']);
  const flood = await runCase(bench, {
    command: ['yes'],
    output_bytes: 5000,
    expect: { stdout: { matches: '^(y\\n){2500}$' } },
  });
  assert.equal([flood.end, flood.verdict], ['output_limit', 'fail']);
  assert.equal(flood.expectations[1]?.holds, true, 'what fits is kept');
});

test('what a case leaves running is ended before the next one', async (bench) => {
  const pidFile = join(bench.root, 'pid');
  const started = `setsid sleep 600 & echo $! > ${pidFile}`;
  // One that nobody has collected yet is gone as well.
  const look = `grep -q '^State:.[^ZX]' /proc/$(cat ${pidFile})/status 2>/dev/null && echo alive || echo gone`;
  const report = await runSuite(bench, {
    cases: [
      { id: 'leaves', command: sh(started), expect: { exit_code: 0 } },
      { id: 'looks', command: sh(look), expect: { stdout: { equals: 'gone\n' } } },
    ],
  });
  if (existsSync('/proc/self')) assert.is(report.verdict, 'pass');
  assert.ok(!existsSync('/proc/self') || bench.logged.some((line) => line.includes('processes that it left running')));
});

test('a case is tried again until it passes, each time in a new copy', async (bench) => {
  const count = join(bench.root, 'count');
  const script = `test -e dirt && exit 9; touch dirt; echo x >> ${count}; test $(wc -l < ${count}) -ge 3`;
  const each = { id: 'flaky', command: sh(script), tries: 5, expect: { exit_code: 0 } };
  const report = await runSuite(bench, { cases: [each] });
  assert.equal(
    report.cases[0]?.attempts.map(({ exit_code }) => exit_code),
    [1, 1, 0],
  );
  assert.is(report.verdict, 'pass');
});

test('a copy that a case spoils, closes or fills with links goes all the same', async (bench) => {
  const script = `mkdir -p a/b; touch a/b/c; ln -s ${bench.root} a/root; ln -s /etc/passwd out.txt; chmod 0 a/b; chmod 500 a`;
  const expect = { exit_code: 0, files: { 'out.txt': { contains: 'root' }, a: { sha256: '0'.repeat(64) } } };
  const spoils = await runCase(bench, { command: sh(script), expect });
  assert.equal(broken(spoils), [
    'file "out.txt" contains "root": it leads out of the copy',
    `file "a" has sha256 ${'0'.repeat(64)}: it is not a regular file`,
  ]);
  assert.equal(readdirSync(join(bench.root, '.agents/runs/job-1/attempt-1')).sort(), ['artifacts']);
  assert.ok(existsSync(join(bench.root, SUITE)));
});

test('commands run only where the trusted configuration lets those of a payload', async (bench) => {
  bench.allowPayloadCommands = false;
  putSuite(bench, 'cases:\n  - id: a\n    expect: { exit_code: 0 }\n    command: [touch, ../../proof]\n');
  assert.match(
    await refusalOf(bench.run(evalSuite, 'eval.suite', { suite: SUITE })),
    /^evals\/suite\.yaml:4:14: cases\[0\]\.command: commands of a suite run only with allow_payload_commands: true/,
  );
});

test('a job that is to stop stops, and leaves no copy', async (bench) => {
  mkdirSync(join(bench.root, 'fixtures'));
  writeFileSync(join(bench.root, 'fixtures/a'), 'a');
  symlinkSync('a', join(bench.root, 'fixtures/link'));
  putSuite(bench, {
    cases: [{ id: 'a', fixture: 'fixtures', command: sh('echo go; sleep 60'), expect: { exit_code: 0 } }],
  });
  const running = bench.run(evalSuite, 'eval.suite', { suite_path: SUITE }).catch((error: unknown) => error);
  while (!bench.logged.includes('go\n')) await new Promise((resolve) => setTimeout(resolve, 10));
  bench.stopping.abort();
  assert.is(((await running) as Error | undefined)?.name, 'AbortError');
  assert.not.ok(existsSync(join(bench.root, '.agents/runs/job-1/attempt-1/copies')));
});

test.run();

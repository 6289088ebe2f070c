/** What a suite may not say, what it may not name, and how it is told: before anything has run. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { caseDefaults, evalLimits } from '../../../workers/eval/limits.js';
import { readSuite } from '../../../workers/eval/suite-file.js';
import { refusalOf, type WorkerBench } from '../../support/builtin-context.js';
import { createEvalBench, putSuite, SUITE, suiteRefusal } from '../../support/eval-bench.js';

const test = suite<WorkerBench>('eval suite file');

test.before.each((context) => {
  Object.assign(context, createEvalBench());
});
test.after.each((context) => context.remove());

const good = { id: 'a', command: ['true'], expect: { exit_code: 0 } };

test('defaults are filled in, a case wins over them', async (bench) => {
  putSuite(bench, {
    defaults: { timeout_seconds: 5, env: { A: '1', B: '1' }, files: ['x'] },
    cases: [
      good,
      { ...good, id: 'b', env: { B: '2' }, files: [], idle_seconds: 1, expect: { stdout: { equals: '' } } },
    ],
  });
  const { cases, threshold, skill_folder } = await readSuite(bench.root, SUITE, 'payload.suite_path');
  const plain = { ...caseDefaults, timeout_seconds: 5, command: ['true'] };
  assert.equal([threshold, skill_folder], [1, '.agents/skills']);
  assert.equal(cases, [
    { ...plain, id: 'a', files: ['x'], env: { A: '1', B: '1' }, idle_seconds: 5, expect: { exit_code: 0 } },
    {
      ...plain,
      id: 'b',
      files: [],
      env: { A: '1', B: '2' },
      idle_seconds: 1,
      expect: { exit_code: 0, stdout: { equals: '' } },
    },
  ]);
});

test('each mistake is told with line and column, the first five of many', async (bench) => {
  const text = `cases:
  - id: a
    comand: ["true"]
    command: ["true"]
    expect: { exit_code: 0 }
  - id: a
    expect: { stdout: {} }
`;
  assert.is(
    await suiteRefusal(bench, text),
    `payload.suite_path: ${SUITE}:3:5: unknown key "comand" in cases[0]; did you mean "command"?; ${SUITE}:7:23: cases[1].expect.stdout must NOT have fewer than 1 properties`,
  );
  const many = { cases: Array.from({ length: 9 }, () => ({ ...good, command: ['true'], prompt: 'x' })) };
  assert.match(await suiteRefusal(bench, many), /; and 12 more$/);
});

test('what a schema can not say is told too', async (bench) => {
  const wrong: [object, RegExp][] = [
    [{ cases: [good, good] }, /cases\[1\]\.id is the same as that of cases\[0\]/],
    [{ cases: [{ id: 'a', expect: { exit_code: 0 } }] }, /cases\[0\] needs either command or prompt/],
    [{ cases: [{ ...good, command: [' '] }] }, /cases\[0\]\.command needs a program/],
    [{ cases: [{ id: 'a', prompt: 'x', stdin: 'y', expect: { exit_code: 0 } }] }, /cases\[0\]\.stdin is for a command/],
    [{ cases: [{ ...good, expect: { stdout: { matches: '(' } } }] }, /Invalid regular expression/],
    [{ cases: [{ ...good, expect: { files: { '../x': { exists: true } } } }] }, /"\.\.\/x" must be a relative path/],
    [{ cases: [{ ...good, expect: { files: { '/x': { exists: true } } } }] }, /"\/x" must be a relative path/],
    [
      { cases: [{ ...good, expect: { files: { x: { absent: true, contains: 'a' } } } }] },
      /nothing else can be expected/,
    ],
    [{ cases: [{ ...good, expect: { files: { x: { sha256: 'Z'.repeat(64) } } } }] }, /64 hex digits/],
    [{ cases: [{ ...good, expect: { json: [{ pointer: 'x', equals: 1 }] } }] }, /a JSON pointer begins with \//],
    [{ cases: [{ ...good, expect: {} }] }, /cases\[0\]\.expect must NOT have fewer than 1 properties/],
    [{ cases: [] }, /cases must hold at least 1/],
    [{ cases: [{ ...good, weight: 0 }] }, /cases\[0\]\.weight must be > 0/],
    [{ cases: [good], skill_folder: '../x' }, /"\.\.\/x" must be a relative path/],
    [{ cases: [good], schema_version: 2 }, /schema_version must be one of 1/],
  ];
  for (const [value, message] of wrong) assert.match(await suiteRefusal(bench, value), message);
});

test('a hostile file is refused as a whole', async (bench) => {
  const bomb = `a: &a [${'x,'.repeat(9)}]\nb: &b [${'*a,'.repeat(9)}]\nc: &c [${'*b,'.repeat(9)}]\ncases: [*c, *c]\n`;
  const wrong: [string, RegExp][] = [
    ['', /must be a mapping with the key cases/],
    ['[1, 2]', /must be a mapping with the key cases/],
    ['cases: [', /:1:\d+: /],
    ['cases: []\ncases: []\n', /Map keys must be unique/],
    ['cases: !!js/function "x"\n', /Unresolved tag/],
    [bomb, /Excessive alias count/],
    [`${'['.repeat(5000)}`, /nested too deep|Flow sequence|:1:/],
    [`# ${'x'.repeat(evalLimits.suiteBytes)}`, /is larger than 1048576 bytes/],
    ['cases:\n  - { id: "\\ud800", command: [a], expect: { exit_code: 0 } }\n', /lone surrogate|escape/],
  ];
  for (const [text, message] of wrong) assert.match(await suiteRefusal(bench, text), message, text.slice(0, 40));
  bench.put(SUITE, Buffer.from([0x63, 0xff, 0xfe]));
  assert.match(
    await refusalOf(readSuite(bench.root, SUITE, 'payload.suite')),
    /payload\.suite: .* not a text in UTF-8/,
  );
});

test('whatever a file holds, it is a suite or refused, and nothing else is thrown', async (bench) => {
  const words = [
    'cases',
    'id',
    'command',
    'prompt',
    'expect',
    'stdout',
    'files',
    'json',
    'defaults',
    'weight',
    'env',
    'a',
  ];
  const value = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.jsonValue({ maxDepth: 1 }),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom(...words), tie('value'), { maxKeys: 5 }),
    ),
  })).value;
  const text = fc.oneof(
    fc.string(),
    value.map((each) => JSON.stringify(each)),
    value.map((each) => `cases: ${JSON.stringify([each])}`),
  );
  const property = fc.asyncProperty(text, async (suiteText) => {
    bench.put(SUITE, suiteText);
    const refused = await readSuite(bench.root, SUITE, 'payload.suite_path').then(
      () => undefined,
      (error: unknown) => error,
    );
    if (refused !== undefined) assert.match(await refusalOf(Promise.reject(refused)), /^payload\.suite_path: /);
  });
  await fc.assert(property, { numRuns: 300 });
});

test('the suite is a file inside of the repository, and is named', async (bench) => {
  bench.put('../outside.yaml', 'cases: []\n');
  symlinkSync('../outside.yaml', join(bench.root, 'link.yaml'));
  mkdirSync(join(bench.root, 'folder'));
  execFileSync('mkfifo', [join(bench.root, 'pipe.yaml')]);
  const wrong: [string | number | undefined, RegExp][] = [
    [undefined, /^payload\.suite_path: name the suite/],
    ['link.yaml', /^payload\.suite_path: .* leads out/],
    ['../outside.yaml', /^payload\.suite_path: .* leads out/],
    [join(dirname(bench.root), 'outside.yaml'), /^payload\.suite_path: .* leads out/],
    ['none.yaml', /^payload\.suite_path: "none\.yaml" is not there/],
    ['folder', /^payload\.suite_path: "folder" is not a regular file/],
    ['pipe.yaml', /^payload\.suite_path: "pipe\.yaml" is not a regular file/],
    ['.agents/daemon/ledger', /^payload\.suite_path: /],
    [7, /^payload\.suite_path must be a string/],
  ];
  for (const [suite_path, message] of wrong)
    assert.match(await suiteRefusal(bench, { cases: [good] }, suite_path === undefined ? {} : { suite_path }), message);
});

test('too much is refused before anything runs', async (bench) => {
  const times = (count: number, each: object) =>
    Array.from({ length: count }, (_, at) => ({ ...good, id: `${at}`, ...each }));
  const expect = { stdout: { contains: Array.from({ length: 50 }, (_, at) => `${at}`) } };
  bench.agent = { name: 'claude', run: () => Promise.reject(new Error('nothing is asked')) };
  const wrong: [object[], RegExp][] = [
    [times(500, { tries: 10, expect: { ...expect } }), /255000 checks of all runs together, more than 20000/],
    [
      times(50, { tries: 10, timeout_seconds: 3600 }),
      /1800000 seconds, if each run took all of its time, more than 604800/,
    ],
    [
      times(evalLimits.agentRunsAtMost + 1, {}).map(({ command: _, ...each }) => ({ ...each, prompt: 'x' })),
      /151 runs of an agent, more than 150/,
    ],
  ];
  for (const [cases, message] of wrong)
    assert.match(
      await suiteRefusal(bench, { cases }),
      new RegExp(`^payload\\.suite_path: ${SUITE}: ${message.source}`),
    );
});

test.run();

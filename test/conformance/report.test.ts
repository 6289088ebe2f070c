/** Reports: every verdict in every form, as it may be read by a machine, and no secret in any. */
import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type CatalogueEntry, readCatalogue } from '../../spec/conformance/catalogue.js';
import { check } from '../../spec/conformance/check.js';
import { Findings } from '../../spec/conformance/findings.js';
import { profileOf } from '../../spec/conformance/read-profile.js';
import { summary } from '../../spec/conformance/report/console.js';
import { htmlOf } from '../../spec/conformance/report/html.js';
import { junitOf } from '../../spec/conformance/report/junit.js';
import { markdownOf } from '../../spec/conformance/report/markdown.js';
import { type Report, reportOf } from '../../spec/conformance/report/report.js';
import type { Done } from '../../spec/conformance/run/run.js';
import type { Outcome, Verdict } from '../../spec/conformance/verdict.js';

const test = suite('conformance, reports');
const token = 'the-secret-of-this-test';
const catalogue = readCatalogue();
const entryOf = (id: string): CatalogueEntry => {
  const found = catalogue.find((entry) => entry.id === id);
  if (found === undefined) throw new Error(id);
  return found;
};
const request = {
  method: 'POST',
  base: 'http://127.0.0.1:1',
  path: '/v1/jobs',
  requestHeaders: { 'X-AgentOps-Daemon-Token': token, 'Content-Type': 'application/json' },
  requestBody: Buffer.from('{"job_type":"rpi.run","note":"it\'s"}'),
};
const outcomes: readonly (readonly [string, Outcome, Verdict])[] = [
  ['observe.health.ok', { kind: 'ran' }, 'pass'],
  ['observe.ready.shape', { kind: 'ran' }, 'fail'],
  ['observe.health.clock', { kind: 'ran' }, 'warn'],
  ['observe.alias.unversioned', { kind: 'ran' }, 'info'],
  ['enqueue.lost-ack.failpoint', { kind: 'n/a', reason: 'not declared' }, 'n/a'],
  ['enqueue.idem.key', { kind: 'unsupported', reason: 'by design <b>' }, 'unsupported'],
  ['enqueue.durable.kill9', { kind: 'not-tested', reason: 'no start command' }, 'not-tested'],
  ['execute.fail', { kind: 'error', reason: `Error: it broke with ${token}` }, 'error'],
];

function theReport(): Report {
  const findings = new Findings();
  const expected = 'a `body` <with> "quotes" & more';
  findings.add('observe.ready.shape', { severity: 'MUST', expected, observed: `\u0001 ${token} ]]>`, request });
  findings.add('observe.health.clock', { severity: 'SHOULD', expected: 'in time', observed: 'late | *very*' });
  findings.add('observe.alias.unversioned', { severity: 'MUST', expected: 'the same', observed: 'another' });
  const done: Done[] = outcomes.map(([id, outcome]) => ({
    selected: { entry: entryOf(id), check: check(id, async () => {}) },
    outcome,
    ms: 12,
  }));
  const traffic = { answers: 10, forbidden: 6, accepted: 0, events: 0 };
  return reportOf({
    profile: {
      ...profileOf({ environment: { JOBSPEC_TOKEN: token }, checkIds: [] }),
      knownFailures: [
        { check: 'observe.ready.shape', reason: 'an old one', issue: 'no. 7' },
        { check: 'observe.health.ok', reason: 'an old one' },
      ],
    },
    catalogue,
    claimed: ['observe', 'enqueue', 'execute', 'project'],
    result: { done, findings, traffic, prefix: 'jsc-x-' },
    seed: '7',
    version: '1.2.3',
    startedAt: Date.now(),
  });
}
const report = theReport();
const forms = {
  json: JSON.stringify(report),
  console: summary(report),
  junit: junitOf(report),
  html: htmlOf(report),
  markdown: markdownOf(report),
};

test('every verdict is told', () => {
  assert.equal(
    report.checks.map(({ id, verdict }) => [id, verdict]),
    outcomes.map(([id, , verdict]) => [id, verdict]),
  );
  assert.equal(report.totals, {
    pass: 1,
    fail: 1,
    warn: 1,
    info: 1,
    'n/a': 1,
    unsupported: 1,
    'not-tested': 1,
    error: 1,
  });
  assert.equal(report.levels, {
    observe: 'NON-CONFORMANT',
    enqueue: 'INCOMPLETE',
    execute: 'INCOMPLETE',
    project: 'INCOMPLETE',
  });
  assert.is(report.exit_code, 1);
  assert.is(report.left_out, 133 - outcomes.length);
  for (const [id] of outcomes)
    for (const [form, text] of Object.entries(forms)) {
      if (form === 'console' && id === 'observe.health.ok') continue;
      if (form === 'markdown' && id === 'observe.health.ok') continue;
      assert.ok(text.includes(id), `${form} does not tell ${id}`);
    }
});

test('report.json is what its schema says', () => {
  const schema = JSON.parse(
    readFileSync(new URL('../../../spec/conformance/report.schema.json', import.meta.url), 'utf8'),
  );
  const ajv = new Ajv2020({ strict: true, strictRequired: false, allErrors: true });
  formats.default(ajv);
  const validate = ajv.compile(schema);
  assert.ok(validate(JSON.parse(forms.json)), JSON.stringify(validate.errors));
});

test('the token is nowhere', () => {
  for (const [form, text] of Object.entries(forms)) {
    assert.not.match(text, new RegExp(token), form);
    assert.not.match(text, new RegExp(Buffer.from(token).toString('base64').slice(0, 20)), form);
  }
  const curl = report.checks.find(({ id }) => id === 'observe.ready.shape')?.curl ?? '';
  assert.match(curl, /-H "X-AgentOps-Daemon-Token: \$JOBSPEC_TOKEN"/);
  assert.match(curl, /--data-binary '\{"job_type":"rpi\.run","note":"it'\\''s"\}' 'http:\/\/127\.0\.0\.1:1\/v1\/jobs'/);
});

test('what looks empty, and a known failure that passes now, are told', () => {
  assert.equal(report.warnings.length, 6, report.warnings.join('\n'));
  assert.match(report.warnings.join('\n'), /6 of 10 answers were 403/);
  assert.match(report.warnings.join('\n'), /no request was ever answered 202/);
  assert.match(report.warnings.join('\n'), /never listed an event/);
  assert.match(report.warnings.join('\n'), /1 of 3 checks with findings are listed under known_failures/);
  assert.match(report.warnings.join('\n'), /observe\.health\.ok is listed under known_failures and passes now/);
  assert.equal(report.checks[1]?.known_failure, { reason: 'an old one', issue: 'no. 7' });
});

test('a known failure is marked as one in every form, and counts as any other', () => {
  for (const [form, text] of Object.entries(forms)) assert.match(text, /an old one/, form);
  assert.match(forms.junit, /<failure type="MUST"[^>]*>known failure: an old one\n/);
  assert.is(report.levels.observe, 'NON-CONFORMANT');
  assert.is(report.exit_code, 1);
});

test('JUnit counts, and is XML', () => {
  assert.match(forms.junit, /<testsuites name="[^"]+" tests="8" failures="1" errors="1" skipped="3"/);
  assert.match(forms.junit, /<failure type="MUST" message="a `body` &lt;with&gt; &quot;quotes&quot; &amp; more">/);
  assert.not.match(forms.junit, /[\u0000-\u0008]|]]>/);
  const open = [...forms.junit.matchAll(/<(\/?)(\w[\w-]*)[^<>]*?(\/?)>/g)].reduce<string[]>(
    (stack, [, end, name = '', alone]) => {
      if (alone === '/') return stack;
      if (end === '/') assert.is(stack.pop(), name);
      else stack.push(name);
      return stack;
    },
    [],
  );
  assert.equal(open, []);
});

test('the page needs nothing but itself', () => {
  assert.not.match(forms.html, /(src|href)="(?!#)/);
  assert.not.match(forms.html, /@import|url\(/);
  assert.match(forms.html, /by design &lt;b&gt;/);
  assert.match(forms.html, /<details class="fail" id="observe\.ready\.shape" data-verdict="fail" open>/);
});

test('Markdown of strangers stays text', () => {
  assert.match(forms.markdown, /late \\\| \\\*very\\\*/);
  assert.match(forms.markdown, /\| observe \| \*\*NON-CONFORMANT\*\*/);
});

test.run();

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { AgentopsdError } from '../../lib/base/errors.js';
import { asksForJson, readArguments } from '../../lib/cli/arguments.js';
import { Flags } from '../../lib/cli/flags.js';

const test = suite('arguments of the command line');

function refusal(work: () => unknown): { message: string; hint: string } {
  try {
    work();
  } catch (error) {
    assert.instance(error, AgentopsdError);
    const { code, message, hint = '' } = error as AgentopsdError;
    assert.is(code, 'usage');
    return { message, hint };
  }
  throw new Error('it was not refused');
}

test('flags stand before or behind the verb', () => {
  for (const line of [
    '--root /r --json jobs --limit 3',
    'jobs --limit=3 --json --root=/r',
    '--json jobs --root /r --limit 3',
  ]) {
    const { verb, values, operands } = readArguments(line.split(' '));
    assert.is(verb.name, 'jobs');
    assert.equal(Object.fromEntries(values), { root: '/r', json: true, limit: '3' });
    assert.equal(operands, []);
  }
});

test('without a verb it is status', () => {
  assert.is(readArguments([]).verb.name, 'status');
  assert.is(readArguments(['--json']).verb.name, 'status');
  assert.is(readArguments([]).verbGiven, false);
});

test('short flags, also together', () => {
  const { values } = readArguments(['logs', 'job', '-fq']);
  assert.equal([...values.keys()].sort(), ['follow', 'quiet']);
});

test('behind -- everything is an operand', () => {
  assert.equal(readArguments(['show', '--', '--json']).operands, ['--json']);
  assert.is(asksForJson(['show', '--', '--json']), false);
  assert.is(asksForJson(['show', '--json']), true);
});

test('- is an operand', () => {
  assert.equal(readArguments(['submit', '-']).operands, ['-']);
});

test('an unknown verb or flag names the nearest', () => {
  assert.match(refusal(() => readArguments(['stauts'])).hint, 'agentopsd status');
  assert.match(refusal(() => readArguments(['jobs', '--limt', '3'])).hint, '--limit');
  assert.match(refusal(() => readArguments(['jobs', '--payload', '3'])).hint, 'agentopsd submit');
  assert.match(refusal(() => readArguments(['qqqqqq'])).hint, 'agentopsd help');
});

test('what a caller wrote is made safe in the error', () => {
  assert.not.match(refusal(() => readArguments(['\u001b[2J'])).message, '\u001b');
});

test('a missing value, a value for a switch, a flag in the place of a value', () => {
  assert.match(refusal(() => readArguments(['jobs', '--limit'])).message, 'needs a value');
  assert.match(refusal(() => readArguments(['jobs', '--json=yes'])).message, 'takes no value');
  assert.match(refusal(() => readArguments(['jobs', '--root', '--json'])).message, '--root=--json');
  assert.is(readArguments(['cancel', 'j', '--reason=--odd']).values.get('reason'), '--odd');
});

test('too few and too many operands', () => {
  assert.match(refusal(() => readArguments(['show'])).message, 'JOB');
  assert.match(refusal(() => readArguments(['show', 'a', 'b'])).message, 'b');
  assert.match(refusal(() => readArguments(['jobs', 'a'])).message, 'no operand');
  assert.is(readArguments(['show', '--help']).verb.name, 'show');
});

test('values of flags', () => {
  const flags = (values: Record<string, string | true>): Flags => new Flags(new Map(Object.entries(values)));
  assert.is(flags({ limit: '0' }).wholeNumber('limit', 0), 0);
  for (const limit of ['-1', '1.5', 'x', '', '1e3', '99999999999999999999'])
    refusal(() => flags({ limit }).wholeNumber('limit', 0));
  refusal(() => flags({ attempt: '0' }).wholeNumber('attempt', 1));
  assert.is(flags({ timeout: '1m30s' }).durationMs('timeout'), 90_000);
  refusal(() => flags({ timeout: 'soon' }).durationMs('timeout'));
  assert.equal(flags({ status: 'failed, queued' }).choices('status', ['queued', 'failed']), ['failed', 'queued']);
  assert.match(refusal(() => flags({ status: 'faild' }).choices('status', ['queued', 'failed'])).hint, 'failed');
  refusal(() => flags({ type: ' , ' }).list('type'));
});

test.run();

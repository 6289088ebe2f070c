/**
 * Each limit has a test that names it: as `limits.jobIdBytes` in its code, its title or a comment, or taken out of its
 * object by `const { jobIdBytes } = limits`. This reads the objects of limits and the tests' sources, and so keeps the rule.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readSources } from './support/sources.js';

const test = suite('limits');

/** What no test names, and why none could say more than the number does. */
const EXCEPTIONS: Readonly<Record<string, string>> = {};

const OBJECT = /^export const (\w*[lL]imits) = Object\.freeze\(\{\n([\s\S]*?)^\}\);/gm;
const MEMBER = /^ {2}(\w+):/gm;

/** `object.member` of each limit. */
function limitsIn(source: string): string[] {
  return [...source.matchAll(OBJECT)].flatMap(([, object, body = '']) =>
    [...body.matchAll(MEMBER)].map(([, member]) => `${object}.${member}`),
  );
}

/** Each limit that a test names. */
function namesIn(source: string): string[] {
  const whole = [...source.matchAll(/\b(\w*[lL]imits)\.(\w+)\b/g)].map(([, object, member]) => `${object}.${member}`);
  const taken = [...source.matchAll(/\{([^{}]*)\} = (\w*[lL]imits)\b/g)].flatMap(([, list = '', object]) =>
    list.split(',').map((each) => `${object}.${each.split(':')[0]?.trim()}`),
  );
  return [...whole, ...taken];
}

const all = readSources('lib', 'workers').flatMap(({ text }) => limitsIn(text));
const named = new Set(
  readSources('test')
    .filter(({ path }) => path.endsWith('.test.ts') && path !== 'test/limits.test.ts')
    .flatMap(({ text }) => namesIn(text)),
);

test('each limit is named by a test, or stands among the exceptions with a reason', () => {
  assert.ok(all.length > 150, `${all.length} limits`);
  assert.equal(
    all.filter((limit) => !named.has(limit) && EXCEPTIONS[limit] === undefined),
    [],
    'a limit that no test names: write one that takes exactly so much and refuses, cuts or tells one more',
  );
});

test('no exception outlives its reason', () => {
  const standing = new Set(all.filter((limit) => !named.has(limit)));
  assert.equal(
    Object.keys(EXCEPTIONS).filter((limit) => !standing.has(limit)),
    [],
  );
});

test('a limit is found where it is kept, and where it is named', () => {
  const kept = 'export const aLimits = Object.freeze({\n  /** One. */\n  oneBytes: 1,\n  two: 2,\n});\n';
  assert.equal(limitsIn(kept), ['aLimits.oneBytes', 'aLimits.two']);
  assert.equal(namesIn('const { oneBytes, two: most } = aLimits; limits.three; // aLimits.four'), [
    'limits.three',
    'aLimits.four',
    'aLimits.oneBytes',
    'aLimits.two',
  ]);
});

test.run();

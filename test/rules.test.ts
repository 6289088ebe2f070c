/** Each numbered rule of `spec/jobspec.md` is named, in brackets, by the title of at least one test that holds it. */
import { readdirSync, readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const test = suite('rules');
const repository = new URL('../../', import.meta.url);
const textOf = (path: string): string => readFileSync(new URL(path, repository), 'utf8');

test('every rule of the contract is named by a test, and every name is a rule', () => {
  const rules = [...textOf('spec/jobspec.md').matchAll(/^- \*\*([A-Z]\d+)\*\* /gm)].map((match) => match[1] as string);
  assert.ok(rules.length > 50, String(rules.length));
  assert.is(new Set(rules).size, rules.length, 'a number stands for one rule');
  const files = readdirSync(new URL('test/', repository), { recursive: true, encoding: 'utf8' });
  const named = files
    .filter((path) => path.endsWith('.test.ts'))
    .flatMap((path) => [...textOf(`test/${path}`).matchAll(/^\s*\w+\(\s*['"`].*\(([A-Z]\d+(?:, [A-Z]\d+)*)\)['"`],/gm)])
    .flatMap((match) => (match[1] as string).split(', '));
  assert.equal(
    rules.filter((rule) => !named.includes(rule)),
    [],
    'rules that no test names',
  );
  assert.equal(
    named.filter((name) => !rules.includes(name)),
    [],
    'names that are no rule',
  );
});

test.run();

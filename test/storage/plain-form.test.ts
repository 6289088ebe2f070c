import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { canonicalJson } from '../../lib/base/canonical.js';
import { isPlainlyCanonical } from '../../lib/storage/plain-form.js';

const test = suite('plain form');

const isPlain = (text: string): boolean => isPlainlyCanonical(JSON.parse(text), Buffer.from(text, 'utf8'));

test('what is plain is canonical, however a text was written', () => {
  const space = fc.constantFrom('', '', '', ' ');
  const text = fc.letrec<{ value: string; object: string; array: string; leaf: string }>((tie) => ({
    value: fc.oneof({ maxDepth: 4 }, tie('leaf'), tie('object'), tie('array')),
    leaf: fc.oneof(
      fc.constantFrom('true', 'false', 'null', '0', '-0', '1e3', '1E3', '1.0', '-1', '12345678901234567890'),
      fc.nat().map(String),
      fc.string({ unit: 'binary', maxLength: 6 }).map((one) => JSON.stringify(one)),
      fc.constantFrom('"\\u0041"', '"\\/"', '"\u007f"', '"\u0085"', '"é"', '":"', '"{,}"'),
    ),
    array: fc.tuple(space, fc.array(tie('value'), { maxLength: 3 })).map(([gap, all]) => `[${all.join(`,${gap}`)}]`),
    object: fc
      .tuple(
        space,
        fc.array(fc.tuple(fc.constantFrom('a', 'b', 'B', 'ab', '', '1', '10', '2', '__proto__', 'e'), tie('value')), {
          maxLength: 4,
        }),
      )
      .map(([gap, all]) => `{${all.map(([name, value]) => `${JSON.stringify(name)}:${gap}${value}`).join(',')}}`),
  })).value;
  fc.assert(
    fc.property(text, (one) => {
      if (isPlain(one)) assert.is(canonicalJson(JSON.parse(one)), one);
    }),
    { numRuns: 2_000 },
  );
});

test('a usual line is plain', () => {
  assert.ok(isPlain('{"actor":"a","payload":{"goal":"do: {it}, [now]","list":[1,2,{"x":true}],"none":null},"seq":12}'));
  for (const odd of [
    '{"b":1,"a":2}',
    '{"a":1,"a":1}',
    '{"2":1,"1":2}',
    '{"a": 1}',
    '{"a":-0}',
    '{"a":1e3}',
    '{"a":"\\u0041"}',
    '{"a":"\u007f"}',
    '{"a":1234567890123456}',
  ])
    assert.not.ok(isPlain(odd), odd);
});

test.run();

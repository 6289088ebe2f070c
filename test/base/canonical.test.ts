import fc from 'fast-check';
import stringify from 'fast-json-stable-stringify';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { canonicalJson, sortedJson, whyNotCanonical } from '../../lib/base/canonical.js';
import { isPlainText, jsonText } from '../../lib/base/json.js';
import { limits } from '../../lib/base/limits.js';

const test = suite('canonical');

test('keys are sorted at every depth, and nothing else changes', () => {
  assert.is(
    canonicalJson({ b: 1, a: { d: [3, { z: null, y: true }], c: 'x' } }),
    '{"a":{"c":"x","d":[3,{"y":true,"z":null}]},"b":1}',
  );
});

test('what could steer a terminal is written as an escape, and read back the same', () => {
  const text = 'a\u007fb\u0085c\u009fd\u202ee\u2066f\u200fg\u061ch\u001b[31m';
  const written = canonicalJson({ text, [text]: 1 });
  assert.match(written, 'a\\u007fb\\u0085c\\u009fd\\u202ee\\u2066f\\u200fg\\u061ch\\u001b[31m');
  assert.not.match(written, /[\u0000-\u001f\u007f-\u009f\u202e]/);
  assert.equal(JSON.parse(written), { text, [text]: 1 });
});

test('what JSON can’t hold is told by its path', () => {
  const cases: [unknown, string][] = [
    [{ a: [1, { b: Number.NaN }] }, 'payload.a[1].b is not a finite number'],
    [{ a: Number.POSITIVE_INFINITY }, 'payload.a is not a finite number'],
    [{ a: -0 }, 'payload.a is -0'],
    [{ a: 2 ** 53 }, 'payload.a is an integer beyond 2^53-1; send it as a string'],
    [{ a: 'x\ud800y' }, 'payload.a holds a lone surrogate'],
    [{ '\udc00': 1 }, 'payload has a member whose name holds a lone surrogate'],
    [{ a: undefined }, 'payload.a is no JSON value'],
    [{ a: 1n }, 'payload.a is no JSON value'],
  ];
  for (const [value, why] of cases) assert.is(whyNotCanonical(value), why);
  assert.is(whyNotCanonical({ a: [2 ** 53 - 1, -(2 ** 53 - 1), 0.1, 1e-300, null, '\u{1f600}'] }), undefined);
});

test('depth: exactly the limit passes', () => {
  const nested = (depth: number): unknown => (depth === 0 ? 1 : { a: nested(depth - 1) });
  assert.is(whyNotCanonical(nested(limits.payloadDepth)), undefined);
  assert.match(whyNotCanonical(nested(limits.payloadDepth + 1)) ?? '', `deeper than ${limits.payloadDepth} levels`);
});

test('whatever passes the check comes back the same, and its text is stable', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
      fc.pre(whyNotCanonical(value) === undefined);
      const text = canonicalJson(value);
      assert.equal(JSON.parse(text), JSON.parse(JSON.stringify(value)));
      assert.is(canonicalJson(JSON.parse(text)), text);
    }),
  );
});

test('a text as JSON: plain ones take a shorter way to the same letters', () => {
  for (let code = 0; code < 0x2100; code++) assertSameText(`a${String.fromCharCode(code)}b`);
  for (const odd of ['', '"', '\\', '\ud800', '\u{1f600}', '\u2028\u202e']) assertSameText(odd);
  fc.assert(fc.property(fc.string({ unit: 'binary' }), assertSameText));
});

function assertSameText(text: string): void {
  assert.is(jsonText(text), JSON.stringify(text));
  if (isPlainText(text)) assert.is(`"${text}"`, canonicalJson(text));
}

test('what stands in order already is written by the engine, with the same letters as by the library', () => {
  const odd = [
    { 10: 'a', 9: 'b' },
    JSON.parse('{"__proto__":{"b":1,"a":2},"toJSON":1}'),
    { a: undefined, b: [undefined, { d: 1, c: 2 }] },
    ['\u2028', '\ud800', -0, 1e21, 1e-7],
    null,
  ];
  for (const value of odd) assert.is(sortedJson(value), stringify(value));
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
      const text = stringify(value);
      assert.is(sortedJson(value), text);
      assert.is(sortedJson(JSON.parse(text)), text);
    }),
  );
});

test.run();

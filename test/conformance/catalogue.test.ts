/** Every entry of the catalogue has its check, and every check its entry. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { idMatches, needsOf, readCatalogue } from '../../spec/conformance/catalogue.js';
import { allChecks } from '../../spec/conformance/checks/all.js';

const test = suite('conformance, the catalogue');
const catalogue = readCatalogue();

test('each entry has one check', () => {
  const ids = catalogue.map(({ id }) => id);
  assert.is(ids.length, 133);
  assert.is(new Set(ids).size, ids.length);
  assert.equal(allChecks.map(({ id }) => id).sort(), [...ids].sort());
});

test('each entry says what it needs, asks, and catches', () => {
  const needs = ['url', 'token', 'proc', 'fixture', 'work', 'failpoint'];
  for (const entry of catalogue) {
    assert.ok(
      needsOf(entry).every((need) => needs.includes(need)),
      entry.id,
    );
    assert.is(entry.id.split('.')[0], entry.level);
    for (const text of [entry.steps, entry.expected, entry.mutant, entry.source]) assert.ok(text.length > 1, entry.id);
  }
});

test('a pattern names ids', () => {
  assert.ok(idMatches('enqueue.idem.key', 'enqueue.idem.*'));
  assert.ok(idMatches('enqueue.idem.key', 'observe.*, enqueue.idem.key'));
  assert.not(idMatches('enqueue.idem.key-length', 'enqueue.idem.key'));
  assert.not(idMatches('enqueue-idem-key', 'enqueue.idem.key'));
});

test.run();

/** Mistakes are made, and seen by the check that is meant for them. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readCatalogue } from '../../spec/conformance/catalogue.js';
import { kill } from './kill.js';
import { allMistakes } from './mistakes/all.js';

const test = suite('conformance, mistakes');

test('each mistake is for one check of the catalogue, and no check has two', () => {
  const ids = new Set(readCatalogue().map(({ id }) => id));
  for (const { check, beside } of allMistakes) for (const id of [check, ...beside]) assert.ok(ids.has(id), id);
  const checks = allMistakes.map(({ check }) => check);
  assert.is(new Set(checks).size, checks.length);
});

test('each check of the catalogue has one', () => {
  const checks = new Set(allMistakes.map(({ check }) => check));
  const without = readCatalogue().filter(({ id }) => !checks.has(id));
  assert.equal(
    without.map(({ id }) => id),
    [],
  );
});

for (const check of ['enqueue.auth.header-ok', 'execute.cancel.queued']) {
  test(`${check} sees its mistake`, async () => {
    const found = allMistakes.find((each) => each.check === check);
    const { killed, made, verdict } = await kill(found as NonNullable<typeof found>);
    assert.ok(made > 0);
    assert.is(verdict, 'fail');
    assert.ok(killed);
  });
}

test.run();

/** The same for the levels that are asked for more: cancels and the consumer's views, by the address alone. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { sideBySide } from './side-by-side.js';
import { judgedByUrl, use } from './varied.js';

const test = suite('conformance, variants, execute and project');

const levels = ['execute', 'project'];
const judgedOf = sideBySide(
  test,
  Object.fromEntries(levels.map((level) => [level, () => judgedByUrl('all', ['--level', level], use)])),
);

for (const level of levels)
  test(`all variants at once, a server that was used, ${level}: nothing is said against it`, async () => {
    const { code, report, said } = await judgedOf(level);
    assert.equal(said, []);
    assert.ok(report.totals.pass > 8, `${report.totals.pass} checks passed`);
    assert.is(code, 4);
  });

test.run();

/** The same for the levels that are asked for more: cancels and the consumer's views, by the address alone. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { complaints } from './program.js';
import { judgedByUrl, use } from './varied.js';

const test = suite('conformance, variants, execute and project');

for (const level of ['execute', 'project'])
  test(`all variants at once, a server that was used, ${level}: nothing is said against it`, async () => {
    const { code, report } = await judgedByUrl('all', ['--level', level], use);
    assert.equal(
      complaints(report).filter((each) => !each.startsWith('not-tested')),
      [],
    );
    assert.ok(report.totals.pass > 8, `${report.totals.pass} checks passed`);
    assert.is(code, 4);
  });

test.run();

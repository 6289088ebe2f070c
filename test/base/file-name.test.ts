import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fileNameOf, jobIdOf } from '../../lib/base/file-name.js';

const test = suite('file name');

test('a plain id stands for itself, everything else is escaped', () => {
  assert.is(fileNameOf('job_rpi_000001'), 'job_rpi_000001');
  assert.is(fileNameOf('v1.2'), 'v1.2');
  assert.is(fileNameOf('../../etc/passwd'), '%2e./../etc/passwd'.replaceAll('/', '%2f'));
  assert.is(fileNameOf('.'), '%2e');
  assert.is(fileNameOf('Job'), '%4aob');
  assert.is(fileNameOf('a b%'), 'a%20b%25');
});

test('a long id is cut to a bounded name that is still its own', () => {
  const long = 'x'.repeat(256);
  const other = `${'x'.repeat(255)}y`;
  for (const id of [long, other, '\u{1f600}'.repeat(64)]) {
    const name = fileNameOf(id);
    assert.ok(name.length <= 160, name);
    assert.is(jobIdOf(name), undefined);
  }
  assert.is.not(fileNameOf(long), fileNameOf(other));
});

test('every id has one name, never a path, and comes back from it', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 50 }), (id) => {
      fc.pre(id.isWellFormed());
      const name = fileNameOf(id);
      assert.match(name, /^[a-z0-9_%][a-z0-9_.%+-]*$|^-/);
      assert.not.match(name, /[/\\\0]/);
      if (!name.includes('%+')) assert.is(jobIdOf(name), id);
    }),
  );
});

test('what is no such name is no job', () => {
  for (const name of ['', 'A', 'a%2', 'a%zz', '.hidden', 'a%61']) assert.is(jobIdOf(name), undefined, name);
});

test.run();

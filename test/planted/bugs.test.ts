import { existsSync, readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { bugs } from './bugs.js';

const test = suite('planted bugs');
const library = new URL('../../lib/', import.meta.url);

test('each stands where it can be planted: its text is in its file once', () => {
  const lost = bugs.flatMap(({ name, file, from }) => {
    const path = new URL(file, library);
    const times = existsSync(path) ? readFileSync(path, 'utf8').split(from).length - 1 : 0;
    return times === 1 ? [] : [`${name}: ${times} times in ${file}`];
  });
  assert.equal(lost, []);
});

test.run();

/**
 * `npm ci` takes a lock file only when every optional package of every platform stands in it; a registry that lacks one
 * at the moment of `npm install` leaves a lock that installs nowhere.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { repositoryRoot } from './support/sources.js';

const test = suite('package lock');

interface Locked {
  version?: string;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
}

function readJson<T>(name: string): T {
  return JSON.parse(readFileSync(join(repositoryRoot, name), 'utf8')) as T;
}

const { packages } = readJson<{ packages: Record<string, Locked> }>('package-lock.json');

test('every package that another one names stands in it', () => {
  const missing = Object.entries(packages).flatMap(([at, { dependencies, optionalDependencies }]) =>
    Object.keys({ ...dependencies, ...optionalDependencies })
      .filter((name) => !isThere(at, name))
      .map((name) => `${name}, of ${at || 'the project'}`),
  );
  assert.equal(missing, []);
});

/** As Node looks: in the package's own folder, then in each one above. */
function isThere(at: string, name: string): boolean {
  const parts = at.split('/node_modules/');
  const folders = parts.map((_, depth) => parts.slice(0, parts.length - depth).join('/node_modules/'));
  return [...folders, ''].some(
    (folder) => packages[folder === '' ? `node_modules/${name}` : `${folder}/node_modules/${name}`] !== undefined,
  );
}

test('it is the lock of this package.json, which names exact versions', () => {
  const manifest = readJson<Locked>('package.json');
  assert.equal(packages['']?.dependencies, manifest.dependencies);
  assert.equal(packages['']?.devDependencies, manifest.devDependencies);
  const all = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies });
  for (const [name, version] of all) assert.is(packages[`node_modules/${name}`]?.version, version, name);
});

test.run();

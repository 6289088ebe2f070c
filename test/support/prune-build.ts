/**
 * Ends a build: removes what stands in the output folder for a source that is gone (a deleted test must not go on
 * running, a deleted module must not be packed), and fails when a source has no output. What is current stays where it
 * is, so that a daemon that runs from the folder is not disturbed.
 *
 *     node dist/test/support/prune-build.js [repository [output folder]]
 */
import { existsSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SOURCE_FOLDERS = ['lib', 'workers', 'spec', 'test'];
const OUTPUT = /(?:\.d\.ts|\.js)$/;

/** @returns paths relative to `output`: what was removed, and the outputs that are missing */
export function pruneBuild(root: string, output: string): { removed: string[]; missing: string[] } {
  const removed = filesBelow(output).filter(
    (name) => OUTPUT.test(name) && !existsSync(join(root, name.replace(OUTPUT, '.ts'))),
  );
  for (const name of removed) rmSync(join(output, name));
  removeEmptyFolders(output);
  const sources = SOURCE_FOLDERS.flatMap((folder) => filesBelow(join(root, folder)).map((name) => join(folder, name)));
  const wanted = sources
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))
    .map((name) => name.replace(/\.ts$/, '.js'));
  return { removed, missing: wanted.filter((name) => !existsSync(join(output, name))) };
}

function filesBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
}

function removeEmptyFolders(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue;
    const inner = join(folder, entry.name);
    removeEmptyFolders(inner);
    if (readdirSync(inner).length === 0) rmdirSync(inner);
  }
}

function main(): void {
  const root = process.argv[2] ?? fileURLToPath(new URL('../../..', import.meta.url));
  const { removed, missing } = pruneBuild(root, process.argv[3] ?? join(root, 'dist'));
  if (removed.length > 0) console.log(`removed ${removed.length} stale files of an earlier build`);
  if (missing.length === 0) return;
  console.error(`the build is not whole: ${missing[0]} is missing (${missing.length} in all); run "make clean build"`);
  process.exitCode = 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();

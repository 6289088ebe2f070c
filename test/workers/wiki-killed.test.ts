/** The wiki workers killed at any moment: no page is half written, and the next run ends as if nothing had happened. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { wikiBuild } from '../../workers/wiki-build.js';
import { wikiForge } from '../../workers/wiki-forge.js';
import { createBench, type WorkerBench } from '../support/builtin-context.js';

const test = suite<WorkerBench>('wiki, killed');
const program = fileURLToPath(new URL('../support/wiki-process.js', import.meta.url));
const ROUNDS = 20;

test.before.each((context) => {
  Object.assign(context, createBench());
  for (let at = 0; at < 60; at++)
    context.put(`docs/page-${at}.md`, `# Page ${at}\n\nWords of page ${at}, [next](page-${at + 1}.md).\n`);
});
test.after.each((context) => context.remove());

function wikiFiles(folder: string): Map<string, string> {
  if (!existsSync(folder)) return new Map();
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.includes('.'));
  return new Map(names.sort().map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
}

async function runAndKill(root: string, afterMs: number): Promise<void> {
  const child = spawn(process.execPath, [program, root], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  await once(child.stdout, 'data');
  await Promise.race([pause(afterMs), ended]);
  child.kill('SIGKILL');
  await ended;
}

test('every file is whole or not there, whenever the kill comes', async (bench) => {
  const wiki = join(bench.root, '.agents/wiki');
  await bench.run(wikiForge, 'wiki.forge', { source_paths: ['docs'] });
  await bench.run(wikiBuild, 'wiki.build', {});
  const whole = wikiFiles(wiki);
  let interrupted = 0;
  for (let round = 0; round < ROUNDS; round++) {
    rmSync(wiki, { recursive: true, force: true });
    await runAndKill(bench.root, round * 4);
    const left = wikiFiles(wiki);
    for (const [name, text] of left) assert.is(text, whole.get(name), `${name} after ${round * 4} ms`);
    if (left.size > 0 && left.size < whole.size) interrupted += 1;
  }
  assert.ok(interrupted > 0, 'at least one kill came in the middle');
  const again = createBench(bench.root);
  await again.run(wikiForge, 'wiki.forge', { source_paths: ['docs'] });
  await again.run(wikiBuild, 'wiki.build', {});
  assert.equal(wikiFiles(wiki), whole);
});

test('a kill leaves nothing outside of the run folder and the wiki', async (bench) => {
  cpSync(join(bench.root, 'docs'), join(bench.root, 'copy'), { recursive: true });
  await runAndKill(bench.root, 20);
  assert.equal(readdirSync(bench.root).sort(), ['.agents', 'copy', 'docs']);
  assert.equal(wikiFiles(join(bench.root, 'docs')), wikiFiles(join(bench.root, 'copy')));
  assert.equal(
    readdirSync(join(bench.root, '.agents')).filter((name) => name !== 'wiki'),
    ['runs'],
  );
});

test.run();

import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { removeLeftTemporaries } from '../../lib/storage/left-temporaries.js';
import { createNodeDisk } from '../../lib/storage/node-disk.js';

const test = suite('left temporaries');
const disk = createNodeDisk();
let folder = '';
test.before.each(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'agentopsd-')));
});
test.after.each(() => rmSync(folder, { recursive: true, force: true }));

function plant(...names: string[]): string[] {
  return names.map((name) => {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, 'x');
    return path;
  });
}

test('what a killed writer left goes; what others may just now be writing, and everything else, stays', async () => {
  const home = { folder: join(folder, 'home'), root: join(folder, 'root') };
  const left = plant(
    'home/.activation.json.0123456789abcdef.tmp',
    'home/.anchor.json.0123456789abcdef.tmp',
    'home/children/.job_1.json.0123456789abcdef.tmp',
    'root/.agents/daemon/.activation.json.0123456789abcdef.tmp',
    'root/.agents/daemon/leases/.job_1.json.0123456789abcdef.tmp',
    'root/.agents/daemon/projections/.wiki-jobs.json.0123456789ab.tmp',
  );
  const kept = plant(
    'home/.trust.json.0123456789abcdef.tmp',
    'home/activation.json',
    'home/children/job_1.json',
    'root/.agents/daemon/.notes.tmp',
    'root/.agents/daemon/leases/job.0123456789abcdef.tmp',
    'root/.agents/daemon/ledger/.000001-0000beef.jsonl.0123456789abcdef.tmp',
    'root/.agents/daemon/projections/wiki-jobs.json',
  );
  assert.equal((await removeLeftTemporaries(disk, home)).sort(), left.sort());
  for (const path of left) assert.is(disk.factsSync(path), undefined, path);
  for (const path of kept) assert.is(disk.factsSync(path)?.kind, 'file', path);
  assert.equal(await removeLeftTemporaries(disk, home), []);
});

test('folders that are not there, or no folders, are passed by', async () => {
  plant('root/.agents/daemon/leases');
  const home = { folder: join(folder, 'home'), root: join(folder, 'root') };
  assert.equal(await removeLeftTemporaries(disk, home), []);
});

test.run();

import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { BEAT_INDEX, SHARED_BYTES, STOP_INDEX } from '../../../lib/model/worker-protocol.js';
import { createRunFolder, FolderDenied } from '../../../workers/thread/run-folder.js';

const folders = suite('run folder in the thread');
let root: string;
folders.before.each(() => {
  root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'agentopsd-')));
});
folders.after.each(() => fs.rmSync(root, { recursive: true }));

function taskOf(prepared = false) {
  const shared = new SharedArrayBuffer(SHARED_BYTES);
  const runDir = path.join(root, '.agents', 'runs', 'job', 'attempt-2');
  return { root, runDir, prepared, shared, counters: new Int32Array(shared) };
}

const noRoom = (): never => {
  throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
};

folders('is made once, empty, when it is needed', () => {
  const task = taskOf();
  const folder = createRunFolder(task);
  assert.not(fs.existsSync(path.join(root, '.agents')));
  assert.is(folder.ensure(), task.runDir);
  fs.writeFileSync(path.join(task.runDir, 'mine'), '');
  folder.ensure();
  assert.equal(fs.readdirSync(task.runDir), ['mine'], 'asked again, nothing goes');
  createRunFolder(task).ensure();
  assert.equal(fs.readdirSync(task.runDir), [], 'what stood there before came from elsewhere');
});

folders('one that was made beforehand is taken as it is', () => {
  const folder = createRunFolder(taskOf(true), () => assert.unreachable());
  folder.ensure();
});

folders('a disk without room is waited for, with signs of life', () => {
  const task = taskOf();
  let tries = 0;
  createRunFolder(task, () => (++tries < 3 ? noRoom() : undefined)).ensure();
  assert.is(tries, 3);
  assert.is(Atomics.load(task.counters, BEAT_INDEX), 2);
});

folders('but not when the attempt is to stop, and nothing else is waited for', () => {
  const task = taskOf();
  Atomics.store(task.counters, STOP_INDEX, 1);
  assert.throws(
    () => createRunFolder(task, noRoom).ensure(),
    (error: unknown) => error instanceof FolderDenied,
  );
  fs.writeFileSync(path.join(root, '.agents'), 'a file');
  assert.throws(() => createRunFolder(taskOf()).ensure(), /\.agents can't be used/);
});

folders.run();

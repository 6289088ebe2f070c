import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createProcessFacts } from '../../lib/storage/process-facts.js';
import { until } from '../support/ledger-place.js';
import { skip } from '../support/skip.js';

const processes = suite('process facts');
const facts = createProcessFacts();

processes('name ourselves as anyone would find us', () => {
  const self = facts.self();
  assert.is(self.pid, process.pid);
  assert.equal(facts.lookUp(process.pid), { started: self.started, zombie: false });
  assert.type(self.started, 'string');
  assert.type(self.bootId, 'string');
  assert.type(self.pidNamespace, 'string');
});

processes('tell a child from what has its pid later', async () => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  const pid = child.pid ?? 0;
  await once(child, 'spawn');
  const found = facts.lookUp(pid);
  assert.is(found?.zombie, false);
  assert.is.not(found?.started, undefined);
  child.kill('SIGKILL');
  await once(child, 'close');
  assert.is(facts.lookUp(pid), undefined);
});

processes('a process that ended and that nobody has waited for is no living one', async () => {
  if (process.platform !== 'linux') return skip('no /proc: zombies are not tried');
  // The shell becomes a sleep that never waits for the child it got.
  const parent = spawn('sh', ['-c', 'sh -c "exit 0" & exec sleep 20'], { stdio: 'ignore' });
  await once(parent, 'spawn');
  const children = `/proc/${parent.pid}/task/${parent.pid}/children`;
  if (!fs.existsSync(children)) skip('the kernel does not list children');
  else
    await until('the zombie', () =>
      fs
        .readFileSync(children, 'utf8')
        .split(' ')
        .some((pid) => pid !== '' && facts.lookUp(Number(pid))?.zombie === true),
    );
  parent.kill('SIGKILL');
  await once(parent, 'close');
});

processes('prove nothing where the system is not known', () => {
  const unknown = createProcessFacts('plan9');
  assert.is(unknown.self().started, undefined);
  assert.is(unknown.lookUp(process.pid), undefined);
});

processes.run();

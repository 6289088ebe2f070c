/**
 * A server that is none of ours, without a disk, and with a disk that comes after the answer: it gets no level that has
 * to outlive the process, and what is said against it names what it does not keep.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { sideBySide } from './side-by-side.js';
import { judgedSmall } from './small-servers.js';

const test = suite('conformance, forgetful servers');

/** What nobody keeps who forgets at the end of the process. */
const DURABLE = [
  'enqueue.idem.after-restart',
  'enqueue.lost-ack.kill-in-flight',
  'enqueue.durable.kill9',
  'enqueue.durable.history',
  'enqueue.durable.append-failure',
];

const judgedOf = sideBySide(test, {
  memory: () => judgedSmall({ keep: 'memory', claims: ['observe', 'enqueue', 'execute'] }),
  late: () => judgedSmall({ keep: 'late', claims: ['enqueue'] }),
});

test('memory alone: no level, all that it says is right, and what is lost is told as lost', async () => {
  const { code, report, complaining } = await judgedOf('memory');
  assert.equal(complaining, [...DURABLE, 'execute.cancel.durable', 'execute.state.terminal-final']);
  assert.equal(report.levels, { observe: 'INCOMPLETE', enqueue: 'NON-CONFORMANT', execute: 'NON-CONFORMANT' });
  assert.is(code, 1);
  const untested = report.checks.filter(({ level, verdict }) => level === 'observe' && verdict === 'not-tested');
  for (const { id, needs } of untested) assert.match(needs, /fixture/, id);
});

test('acknowledged before it is written: not enqueue, and kill9 says why', async () => {
  const { code, report, complaining } = await judgedOf('late');
  // What was acknowledged early enough is written: which of them sees it is left to chance, all but kill9.
  const others = complaining.filter((id) => !DURABLE.includes(id) && !id.startsWith('enqueue.durable.'));
  assert.equal(others, []);
  assert.equal(report.levels, { enqueue: 'NON-CONFORMANT' });
  assert.is(code, 1);
  const kill9 = report.checks.find(({ id }) => id === 'enqueue.durable.kill9');
  assert.is(kill9?.verdict, 'fail');
  assert.match(kill9?.expected ?? '', /acknowledged before SIGKILL/);
});

test.run();

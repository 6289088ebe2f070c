import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ClaimQueue, type Place } from '../../lib/model/claim-queue.js';
import { eventIdOf, seqOfEventId } from '../../lib/model/event.js';
import { State } from '../../lib/model/state.js';
import {
  adopt,
  cancelCommand,
  carryOut,
  claimCommand,
  complete,
  event,
  expireLease,
  stateAfter,
  submitCommand,
} from '../support/model.js';

const test = suite('state');
const ids = (many: Iterable<string>) => [...many];

test('claimable jobs come first in, first out, by type', () => {
  const state = stateAfter(
    submitCommand({ job_id: 'a' }),
    submitCommand({ job_id: 'b', job_type: 'wiki.build' }),
    submitCommand({ job_id: 'c' }),
  );
  assert.equal(ids(state.claimable('rpi.run')), ['a', 'c']);
  assert.equal(ids(state.claimable('wiki.build')), ['b']);
  assert.equal(ids(state.claimable('dream.run')), []);
  assert.equal([...state.claimableTypes()], ['rpi.run', 'wiki.build']);
  carryOut(state, cancelCommand({ job_id: 'b' }));
  assert.equal([...state.claimableTypes()], ['rpi.run']);
});

test('a job leaves the queue with its claim and comes back with its lost lease', () => {
  const state = stateAfter(submitCommand(), claimCommand());
  assert.equal([ids(state.claimable('rpi.run')), [...state.running()]], [[], ['job_1']]);
  carryOut(state, expireLease);
  assert.equal([ids(state.claimable('rpi.run')), [...state.running()]], [['job_1'], []]);
  carryOut(state, claimCommand({ claim_token: 'token_2' }));
  carryOut(state, { ...complete, claim_token: 'token_2', lease_epoch: 2 } as typeof complete);
  assert.equal([ids(state.claimable('rpi.run')), [...state.running()]], [[], []]);
});

test('foreign jobs are listed until they are adopted or ended', () => {
  const state = new State();
  carryOut(state, submitCommand(), false);
  carryOut(state, submitCommand({ job_id: 'job_2' }), false);
  assert.equal([...state.foreign()], ['job_1', 'job_2']);
  assert.equal(ids(state.claimable('rpi.run')), []);
  carryOut(state, adopt);
  carryOut(state, cancelCommand({ job_id: 'job_2' }));
  assert.equal([...state.foreign()], []);
  assert.equal(ids(state.claimable('rpi.run')), ['job_1']);
});

test('events of unknown types are counted and change no job (E5)', () => {
  const state = stateAfter(submitCommand());
  const before = state.job('job_1');
  const folded = state.apply(event('somebody.elses', { a: 1 }, { seq: 2 }), true);
  assert.is(folded.ignored, 'unknown_type');
  assert.is(state.job('job_1'), before);
  assert.equal([state.eventCount, state.lastSeq, state.lastEventId], [2, 2, 'evt_somebody.elses_job_1_000002']);
});

test('projection events set the named manifests, or all', () => {
  const state = new State();
  state.apply(event('projection.marked_stale', { projection_targets: ['dream-runs'] }), true);
  assert.equal([state.isMarkedStale('dream-runs'), state.isMarkedStale('wiki-jobs')], [true, false]);
  state.apply(event('projection.marked_stale', undefined, { seq: 2 }), true);
  assert.is(state.isMarkedStale('wiki-jobs'), true);
  state.apply(event('projection.rebuilt', { projection_targets: ['wiki-jobs'] }, { seq: 3 }), true);
  assert.equal([state.isMarkedStale('dream-runs'), state.isMarkedStale('wiki-jobs')], [true, false]);
});

test('a claim queue stays first in, first out through removals and returns', () => {
  const queue = new ClaimQueue();
  const places = Array.from({ length: 5000 }, (_, at) => queue.add(`job_${at}`));
  const leave = (at: number): void => queue.remove(places[at] as Place);
  for (let at = 0; at < 4000; at++) leave(at);
  leave(4500);
  leave(4500);
  const back = queue.add('job_10');
  leave(10);
  const left = [...queue];
  assert.is(queue.size, 1000);
  assert.is(left.length, 1000);
  assert.equal([left[0], left.at(-2), left.at(-1)], ['job_4000', 'job_4999', 'job_10']);
  assert.not.ok(left.includes('job_4500'));
  queue.remove(back);
  assert.equal([queue.size, [...queue].at(-1)], [999, 'job_4999']);
});

test('event ids: six digits or more, white space in the job id written _, the seq read back', () => {
  assert.is(eventIdOf('job.accepted', 'a b\tc\u00a0d', 7), 'evt_job.accepted_a_b_c_d_000007');
  assert.is(eventIdOf('job.accepted', 'x', 12345678), 'evt_job.accepted_x_12345678');
  assert.is(seqOfEventId('evt_job.accepted_x_12345678'), 12345678);
  for (const odd of [
    '',
    'evt_',
    'no-such-id',
    'evt_job.accepted_x_',
    'evt_job.accepted_x_12',
    `evt_x_y_${'9'.repeat(16)}`,
  ]) {
    assert.is(seqOfEventId(odd), undefined, odd);
  }
});

test.run();

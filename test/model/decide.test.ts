import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Command } from '../../lib/model/command.js';
import { decide } from '../../lib/model/decide.js';
import { DAMAGE_ADOPTED, eventTypes, jobTypes, type LedgerEvent, seqOfEventId } from '../../lib/model/event.js';
import { PendingState } from '../../lib/model/pending-state.js';
import { State } from '../../lib/model/state.js';
import {
  AT,
  adopt,
  cancelCommand,
  carryOut,
  claimCommand,
  complete,
  expireLease,
  fail,
  heartbeat,
  LEASE_END,
  record,
  stateAfter,
  submitCommand,
} from '../support/model.js';

const test = suite('decide');

const states: Record<string, () => State> = {
  none: () => new State(),
  queued: () => stateAfter(submitCommand()),
  running: () => stateAfter(submitCommand(), claimCommand()),
  retry_waiting: () => stateAfter(submitCommand(), claimCommand(), expireLease),
  completed: () => stateAfter(submitCommand(), claimCommand(), complete),
  failed: () => stateAfter(submitCommand(), claimCommand(), fail),
  cancelled: () => stateAfter(submitCommand(), cancelCommand()),
};
const commands: Record<string, Command> = {
  submit: submitCommand(),
  cancel: cancelCommand(),
  claim: claimCommand({ claim_token: 'token_2' }),
  heartbeat,
  expire_lease: expireLease,
  complete,
  fail,
  record,
  adopt,
};
/** What each command comes to in each state: the events it makes, or the code of its refusal. */
const expected: Record<string, Record<string, string>> = {
  none: { submit: 'job.accepted', '*': 'unknown_job' },
  queued: { submit: '', cancel: 'job.cancelled', claim: 'job.claimed', adopt: '', '*': 'stale_lease' },
  running: {
    submit: '',
    cancel: 'job.cancelled',
    claim: 'job_not_claimable',
    heartbeat: 'job.heartbeat',
    expire_lease: 'job.lease_expired',
    complete: 'job.completed',
    fail: 'job.failed',
    record: 'factory.admission_decided',
    adopt: '',
  },
  retry_waiting: { submit: '', cancel: 'job.cancelled', claim: 'job.claimed', adopt: '', '*': 'stale_lease' },
  completed: { submit: '', cancel: '', claim: 'job_not_claimable', adopt: '', '*': 'stale_lease' },
  failed: { submit: '', cancel: '', claim: 'job_not_claimable', adopt: '', '*': 'stale_lease' },
  cancelled: { submit: '', cancel: '', claim: 'job_not_claimable', adopt: '', '*': 'stale_lease' },
};

for (const [stateName, make] of Object.entries(states)) {
  for (const [name, command] of Object.entries(commands)) {
    test(`${stateName} × ${name}`, () => {
      const state = make();
      const before = state.lastSeq;
      const decision = decide(state, command);
      const outcome = decision.refused?.code ?? decision.events?.map((made) => made.event_type).join(' ');
      assert.is(outcome, expected[stateName]?.[name] ?? expected[stateName]?.['*']);
      assert.is(state.lastSeq, before, 'deciding changes nothing');
      for (const made of decision.events ?? []) {
        assert.is(made.occurred_at, AT);
        assert.is(seqOfEventId(made.event_id), made.seq);
        assert.is(state.apply(made, true).ignored, undefined, 'what decide makes, fold takes');
      }
    });
  }
}

test('a worker records an event of its job once, also in a later attempt', () => {
  const state = stateAfter(submitCommand(), claimCommand());
  const [made] = carryOut(state, record);
  assert.equal(made?.payload, { allowed: true, claim_token: 'token_1', lease_epoch: 1 });
  assert.equal(carryOut(state, record), []);
  carryOut(state, expireLease);
  carryOut(state, claimCommand({ claim_token: 'token_2' }));
  assert.is(decide(state, record).refused?.code, 'stale_lease');
  assert.equal(carryOut(state, { ...record, claim_token: 'token_2', lease_epoch: 2 } as Command), []);
  assert.equal(state.job('job_1')?.recorded, { 'factory.admission_decided': made?.event_id });
});

test('a worker records only the types that are meant for it, and nothing in place of its own claim', () => {
  const state = stateAfter(submitCommand(), claimCommand());
  assert.is(
    decide(state, { ...record, event_type: 'job.completed' } as unknown as Command).refused?.code,
    'invalid_request',
  );
  const [made] = carryOut(state, { ...record, payload: { claim_token: 'other', lease_epoch: 9 } } as Command);
  assert.equal(made?.payload, { claim_token: 'token_1', lease_epoch: 1 });
});

test('what a worker submits needs the lease under which it works', () => {
  const under = { job_id: 'job_1', claim_token: 'token_1', lease_epoch: 1 };
  const child = submitCommand({ job_id: 'job_2', idempotency_key: 'child', under });
  const state = stateAfter(submitCommand(), claimCommand());
  assert.is(carryOut(state, child)[0]?.event_type, 'job.accepted');
  assert.equal(carryOut(state, child), []);
  carryOut(state, cancelCommand());
  assert.is(decide(state, child).refused?.code, 'stale_lease');
});

test('the page: the first accepted job', () => {
  const command = submitCommand({
    request_id: 'req_20260430_000001',
    job_id: 'job_rpi_000001',
    idempotency_key: 'rpi:demo:cycle-1',
  });
  const [made] = carryOut(new State(), command);
  assert.is(made?.event_id, 'evt_job.accepted_job_rpi_000001_000001');
  assert.equal(made?.payload, {
    job_type: 'rpi.run',
    job_payload: { goal: 'a goal' },
    max_attempts: 3,
    projection_targets: ['rpi-registry', 'openclaw-snapshot', 'daemon-status', 'daemon-job-status'],
    idempotency_key: 'rpi:demo:cycle-1',
  });
});

test('projection targets by type, in the order of the contract', () => {
  const daemon = ['daemon-status', 'daemon-job-status'];
  for (const job_type of jobTypes) {
    const [made] = carryOut(new State(), submitCommand({ job_type }));
    const own = { rpi: ['rpi-registry'], dream: ['dream-runs'], wiki: ['wiki-jobs'] }[job_type.split('.')[0] ?? ''];
    const snapshot = own !== undefined || job_type === 'openclaw.snapshot' ? ['openclaw-snapshot'] : [];
    assert.equal(made?.payload?.['projection_targets'], [...(own ?? []), ...snapshot, ...daemon], job_type);
  }
});

test('the key wins over the job id, and both recover (I2)', () => {
  const state = stateAfter(
    submitCommand({ job_id: 'A', idempotency_key: 'ka' }),
    submitCommand({ job_id: 'B', idempotency_key: 'kb' }),
  );
  const again = (more: Parameters<typeof submitCommand>[0]) => decide(state, submitCommand(more));
  const byKey = again({ job_id: 'A', idempotency_key: 'kb' });
  assert.equal(byKey, { events: [], job_id: 'B', deduplicated: true });
  assert.equal(again({ job_id: 'new', idempotency_key: 'ka' }), { events: [], job_id: 'A', deduplicated: true });
  assert.equal(again({ job_id: undefined, idempotency_key: 'ka' }), { events: [], job_id: 'A', deduplicated: true });
  assert.equal(again({ job_id: 'B' }), { events: [], job_id: 'B', deduplicated: true });
});

test('another use of a key is told apart', () => {
  const state = stateAfter(submitCommand({ idempotency_key: 'k', payload: { a: 1, b: { c: 2 } } }));
  const conflict = (more: Parameters<typeof submitCommand>[0]) => {
    const decision = decide(state, submitCommand({ idempotency_key: 'k', payload: { a: 1, b: { c: 2 } }, ...more }));
    return decision.refused === undefined ? decision.conflict : 'refused';
  };
  assert.is(conflict({}), undefined);
  assert.is(conflict({ payload: { b: { c: 2 }, a: 1 } }), undefined, 'the order of members is no difference');
  assert.is(conflict({ payload: { a: 1 } }), 'payload');
  assert.is(conflict({ job_type: 'dream.run' }), 'job_type');
});

test('a foreign key never matches, a foreign job id answers with that job', () => {
  const state = new State();
  carryOut(state, submitCommand({ job_id: 'theirs', idempotency_key: 'k' }), false);
  const byKey = decide(state, submitCommand({ job_id: 'mine', idempotency_key: 'k' }));
  assert.is(byKey.refused === undefined && byKey.events[0]?.job_id, 'mine');
  assert.equal(decide(state, submitCommand({ job_id: 'theirs' })), {
    events: [],
    job_id: 'theirs',
    deduplicated: true,
    conflict: 'foreign',
  });
});

test('a foreign job is not claimed until it is adopted; its key counts from then on', () => {
  const state = new State();
  carryOut(state, submitCommand({ idempotency_key: 'k' }), false);
  const refused = decide(state, claimCommand());
  assert.is(refused.refused?.code, 'job_not_claimable');
  assert.match(refused.refused?.message ?? '', 'accepted elsewhere');
  assert.equal(
    carryOut(state, adopt).map((made) => made.event_type),
    ['job.adopted'],
  );
  assert.equal(carryOut(state, adopt), [], 'once');
  assert.is(state.jobIdForKey('k'), 'job_1');
  carryOut(state, claimCommand());
  assert.is(state.job('job_1')?.status, 'running');
});

test('a foreign lease is neither expired nor used here', () => {
  const state = new State();
  carryOut(state, submitCommand(), false);
  for (const made of carryOut(stateAfter(submitCommand()), claimCommand())) state.apply(made, false);
  assert.is(state.job('job_1')?.status, 'running');
  for (const command of [heartbeat, expireLease, complete, fail])
    assert.is(decide(state, command).refused?.code, 'stale_lease');
});

test('the last attempt that is lost fails the job in the same batch (J4)', () => {
  const state = stateAfter(submitCommand({ max_attempts: 1 }), claimCommand());
  const made = carryOut(state, expireLease);
  assert.equal(
    made.map((one) => one.event_type),
    ['job.lease_expired', 'job.failed'],
  );
  assert.equal(
    made.map((one) => one.seq),
    [3, 4],
  );
  const job = state.job('job_1');
  assert.equal(
    [job?.status, job?.failure?.code, job?.failure?.retryable, job?.result_status],
    ['failed', 'retry_exhausted', false, 'failed'],
  );
});

test('attempts and epochs count up from claim to claim (J3)', () => {
  const state = stateAfter(submitCommand(), claimCommand(), expireLease);
  const [made] = carryOut(state, claimCommand({ claim_token: 'token_2' }));
  assert.equal(made?.payload, { claim_token: 'token_2', lease_epoch: 2, lease_expires_at: LEASE_END, attempt: 2 });
  assert.is(decide(state, complete).refused?.code, 'stale_lease', 'the first token is stale now');
});

test('a cancel carries its own request id or the job’s (J6)', () => {
  const own = carryOut(stateAfter(submitCommand()), cancelCommand({ request_id: 'req_cancel', reason: 'enough' }));
  assert.equal([own[0]?.request_id, own[0]?.payload], ['req_cancel', { result_status: 'cancelled', reason: 'enough' }]);
  assert.is(carryOut(stateAfter(submitCommand()), cancelCommand())[0]?.request_id, 'req_1');
});

test('cancel tells what it found', () => {
  for (const [name, outcome] of Object.entries({
    queued: 'cancelled',
    completed: 'already_terminal_completed',
    failed: 'already_terminal_failed',
    cancelled: 'already_terminal_cancelled',
  })) {
    const decision = decide(states[name]?.() ?? new State(), cancelCommand());
    assert.is(decision.refused === undefined && decision.cancelOutcome, outcome);
  }
});

test('adopted damage is an event of the ledger itself and changes no job', () => {
  const state = stateAfter(submitCommand({ job_id: 'ledger' }));
  const before = state.job('ledger');
  const command: Command = {
    kind: 'adopt_damage',
    actor: 'a',
    occurredAt: AT,
    request_id: 'r',
    payload: { records: [] },
  };
  const [made] = carryOut(state, command);
  assert.is(made?.event_type, DAMAGE_ADOPTED);
  assert.ok(!(eventTypes as readonly string[]).includes(DAMAGE_ADOPTED));
  assert.is(state.job('ledger'), before);
  assert.is(state.eventCount, 2);
});

test('decisions see what is decided and not yet durable; discarding forgets it', () => {
  const durable = stateAfter(submitCommand());
  const pending = new PendingState(durable);
  const first = decide(pending, submitCommand({ job_id: 'B', idempotency_key: 'k' }));
  assert.ok(first.refused === undefined);
  pending.decided(first.events);
  assert.is(durable.job('B'), undefined);
  const second = decide(pending, submitCommand({ job_id: 'C', idempotency_key: 'k' }));
  assert.equal(second, { events: [], job_id: 'B', deduplicated: true });
  const claim = decide(pending, claimCommand({ job_id: 'B' }));
  assert.is(claim.refused === undefined && claim.events[0]?.seq, 3);

  pending.discard();
  assert.is(pending.job('B'), undefined);
  assert.is(pending.jobIdForKey('k'), undefined);
  assert.is(pending.lastSeq, 1);
});

test('what is durable is read from the durable state again', () => {
  const durable = new State();
  const pending = new PendingState(durable);
  const submit = decide(pending, submitCommand({ idempotency_key: 'k' }));
  assert.ok(submit.refused === undefined);
  pending.decided(submit.events);
  const claim = decide(pending, claimCommand());
  assert.ok(claim.refused === undefined);
  pending.decided(claim.events);
  assert.is(pending.settle(submit.events[0] as LedgerEvent), undefined, 'the job has gone on since');
  for (const made of submit.events) durable.apply(made, true);
  assert.is(pending.job('job_1')?.status, 'running', 'the later decision still shows');
  const again = stateAfter(submitCommand({ idempotency_key: 'k' }), claimCommand());
  for (const made of claim.events) durable.apply(made, true, pending.settle(made));
  assert.equal(durable.job('job_1'), again.job('job_1'), 'what was folded before is what folding gives');
  assert.equal(durable.capture().summary, again.capture().summary);
  assert.is(pending.job('job_1'), durable.job('job_1'));
  assert.is(pending.jobIdForKey('k'), 'job_1');
});

test.run();

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { JsonObject } from '../../lib/base/json.js';
import { AGENT_RUNS_KEPT, agentRunsAfter } from '../../lib/model/agent-runs.js';
import type { Command } from '../../lib/model/command.js';
import type { AgentRunOfJob, AgentRuns, LedgerEvent } from '../../lib/model/event.js';
import type { Job } from '../../lib/model/job.js';
import { decodeJob, encodeJob } from '../../lib/model/job-text.js';
import { carryOut, claimCommand, complete, fail, heartbeat, stateAfter, submitCommand } from '../support/model.js';

const test = suite('agent runs');

const after = (runs: readonly AgentRunOfJob[] | undefined, attempt: number, agent_runs: unknown) =>
  agentRunsAfter({ agent_runs: runs, attempt } as Job, { payload: { agent_runs } as JsonObject } as LedgerEvent);

test('the last word of each run of each attempt stands, in the order in which they began', () => {
  const first = after(undefined, 1, { 'phase-1': { agent: 'claude' } });
  assert.equal(first, [{ attempt: 1, run: 'phase-1', agent: 'claude' }]);
  const ended = { agent: 'claude', verdict: 'succeeded', why: 'it did', usage: { input_tokens: 3 }, cost_usd: 0.5 };
  const second = after(first, 1, { 'phase-1': ended, 'phase-2': { agent: 'claude', denials: ['Bash'] } });
  assert.equal(second?.[0], { attempt: 1, run: 'phase-1', ...ended });
  const third = after(second, 2, { 'phase-2': { agent: 'claude', turns: 2 } });
  assert.equal(
    third?.map(({ attempt, run }) => [attempt, run]),
    [
      [1, 'phase-1'],
      [1, 'phase-2'],
      [2, 'phase-2'],
    ],
  );
  assert.is(after(third, 2, undefined), third);
});

test('what is not as it should be is left out', () => {
  assert.is(after(undefined, 1, { a: 7, b: {}, c: null }), undefined);
  assert.is(after(undefined, 1, []), undefined);
  const odd = { agent: 'x', verdict: 'maybe', usage: { a: 'b', c: 1 }, cost_usd: -1, denials: [1, 'y'], model: 5 };
  assert.equal(after(undefined, 1, { r: odd }), [
    { attempt: 1, run: 'r', agent: 'x', usage: { c: 1 }, denials: ['y'] },
  ]);
});

test('the members of a run stand in the order of their names, however they were told', () => {
  const told = {
    why: 'w',
    verdict: 'failed',
    usage: { b: 1 },
    turns: 2,
    session_id: 's',
    model: 'm',
    denials: ['d'],
    cost_usd: 1,
    cli_version: 'c',
    agent: 'x',
  };
  const [run] = after(undefined, 1, { r: told }) ?? [];
  assert.equal(Object.keys(run ?? {}), Object.keys(run ?? {}).sort());
  assert.equal(run, { attempt: 1, run: 'r', ...told });
});

test('the oldest are forgotten, the newest never', () => {
  let runs: readonly AgentRunOfJob[] | undefined;
  for (let at = 0; at < AGENT_RUNS_KEPT + 5; at++) runs = after(runs, 1, { [`run-${at}`]: { agent: 'x' } });
  assert.is(runs?.length, AGENT_RUNS_KEPT);
  assert.is(runs?.at(-1)?.run, `run-${AGENT_RUNS_KEPT + 4}`);
});

test('heartbeats and both ends tell them, and a job keeps them as text too', () => {
  for (const end of [complete, fail]) {
    const state = stateAfter(submitCommand(), claimCommand());
    const spent: AgentRuns = { run: { agent: 'x', usage: { input_tokens: 1 } } };
    carryOut(state, { ...heartbeat, agent_runs: spent } as Command);
    assert.is(state.job('job_1')?.agent_runs?.[0]?.usage?.['input_tokens'], 1);
    const ended: AgentRuns = { run: { agent: 'x', verdict: 'failed' }, other: { agent: 'x' } };
    carryOut(state, { ...end, agent_runs: ended } as Command);
    const job = state.job('job_1') as Job;
    assert.is(job.agent_runs?.length, 2);
    assert.equal(decodeJob(encodeJob(job)), job);
  }
});

test.run();

import pc from 'picocolors';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { AgentopsdError } from '../../lib/base/errors.js';
import { attemptsOf } from '../../lib/cli/attempts.js';
import { checkNode } from '../../lib/cli/check-up.js';
import { jobOfPrefix } from '../../lib/cli/job-ids.js';
import { stateWord, table } from '../../lib/cli/job-words.js';
import { readDurationMs, readMomentMs, relativeTime } from '../../lib/cli/times.js';
import { exitOfEnds } from '../../lib/cli/waiting.js';
import type { Event, QueueJob } from '../../lib/client/client.js';
import { jobStates } from '../../lib/model/job.js';

const test = suite('words of the command line');

function job(job_id: string, status: QueueJob['status'] = 'queued'): QueueJob {
  return { job_id, job_type: 'rpi.run', request_id: 'r', status, attempt: 0, max_attempts: 3 };
}

test('durations', () => {
  const good: [string, number][] = [
    ['90', 90_000],
    ['500ms', 500],
    ['90s', 90_000],
    ['1.5h', 5_400_000],
    ['1h30m', 5_400_000],
    ['2d', 172_800_000],
  ];
  for (const [text, ms] of good) assert.is(readDurationMs(text), ms, text);
  for (const text of ['', 's', '5 m', '-5m', '5mm', '5y', '1e3s', 'm5'])
    assert.is(readDurationMs(text), undefined, text);
});

test('moments', () => {
  const nowMs = Date.parse('2026-05-01T12:00:00Z');
  assert.is(readMomentMs('2h', nowMs), nowMs - 7_200_000);
  assert.is(readMomentMs('2026-05-01T11:00:00Z', nowMs), nowMs - 3_600_000);
  for (const text of ['yesterday', '2026', '2026-13-01', 'x']) assert.is(readMomentMs(text, nowMs), undefined, text);
});

test('relative times', () => {
  const nowMs = Date.parse('2026-05-01T12:00:00Z');
  assert.is(relativeTime('2026-05-01T11:57:00Z', nowMs), '3m ago');
  assert.is(relativeTime('2026-05-01T12:00:41Z', nowMs), 'in 41s');
  assert.is(relativeTime('2026-05-01T12:00:00.2Z', nowMs), 'now');
  assert.is(relativeTime('never', nowMs), 'never');
});

test('ids by unique prefix', () => {
  const jobs = [job('job_1'), job('job_10'), job('other')];
  assert.is(jobOfPrefix(jobs, 'o').job_id, 'other');
  assert.is(jobOfPrefix(jobs, 'job_1').job_id, 'job_1');
  const codes = (given: string): [string, string] => {
    try {
      jobOfPrefix(jobs, given);
    } catch (error) {
      const { code, message, hint = '' } = error as AgentopsdError;
      return [code, message + hint];
    }
    throw new Error('found');
  };
  assert.is(codes('job')[0], 'ambiguous_id');
  assert.match(codes('job')[1], 'job_1, job_10');
  assert.is(codes('zzz')[0], 'unknown_job');
  assert.match(codes('othr')[1], 'other');
  assert.is(codes('')[0], 'unknown_job');
});

test('a state is a glyph and a word, with colours or without', () => {
  const plain = pc.createColors(false);
  const words = jobStates.map((state) => stateWord(state, plain));
  assert.is(new Set(words.map((word) => word[0])).size, jobStates.length);
  for (const [at, state] of jobStates.entries()) assert.match(words[at] as string, state);
  assert.match(stateWord('failed', pc.createColors(true)), '\u001b[');
});

test('a table lines up, whatever the colours', () => {
  assert.equal(
    table([
      ['a', { plain: 'xx', shown: '<xx>' }, 'end'],
      ['long', 'y', ''],
    ]),
    ['a     <xx>  end', 'long  y'],
  );
  assert.equal(table([]), []);
});

test('exit codes of ends: a failure weighs more than a cancellation', () => {
  assert.is(exitOfEnds([job('a', 'completed')]), 0);
  assert.is(exitOfEnds([job('a', 'completed'), job('b', 'cancelled')]), 7);
  assert.is(exitOfEnds([job('a', 'cancelled'), job('b', 'failed')]), 1);
  assert.is(exitOfEnds([]), 0);
});

test('attempts from events', () => {
  const event = (event_type: string, payload: Record<string, unknown>, at: number): Event => ({
    schema_version: 1,
    event_id: `e${at}`,
    request_id: 'r',
    job_id: 'j',
    event_type,
    occurred_at: `2026-01-01T00:00:0${at}Z`,
    actor: `worker-${at}`,
    payload,
  });
  const attempts = attemptsOf([
    event('job.accepted', {}, 0),
    event('job.claimed', { attempt: 1, lease_epoch: 1, lease_expires_at: 'x' }, 1),
    event('job.heartbeat', { lease_expires_at: 'y' }, 2),
    event('job.lease_expired', {}, 3),
    event('job.claimed', { attempt: 2, lease_epoch: 2, lease_expires_at: 'z' }, 4),
    event('job.completed', {}, 5),
    event('job.failed', {}, 6),
  ]);
  assert.equal(
    attempts.map(({ attempt, worker, lease_expires_at, end, ended_at }) => ({
      attempt,
      worker,
      lease_expires_at,
      end,
      ended_at,
    })),
    [
      { attempt: 1, worker: 'worker-1', lease_expires_at: 'y', end: 'lease_expired', ended_at: '2026-01-01T00:00:03Z' },
      { attempt: 2, worker: 'worker-4', lease_expires_at: 'z', end: 'completed', ended_at: '2026-01-01T00:00:05Z' },
    ],
  );
  assert.equal(attemptsOf([event('job.accepted', {}, 0), event('job.cancelled', {}, 1)]), []);
});

test('which Node is enough', () => {
  for (const version of ['20.19.0', '20.20.2', '22.0.0', '24.1.0']) assert.is(checkNode(version).state, 'ok', version);
  for (const version of ['18.20.0', '20.18.3']) assert.is(checkNode(version).state, 'fail', version);
});

test.run();

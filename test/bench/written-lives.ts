/** The events of jobs as people and agents leave them: prompts of several lines in several scripts, heartbeats, what an agent did. */
import { timestamp } from '../../lib/base/clock.js';
import type { LedgerEvent } from '../../lib/model/event.js';
import { projectionTargetsOf } from '../../lib/model/payloads.js';
import { eventOf, type Lives } from './ledger-generator.js';

const LEASE_END_MS = Date.UTC(2026, 0, 2);
const HEARTBEATS = 3;
const PROMPT = [
  'Fix the "flaky" test — it fails on CI.',
  '',
  '1. run `make test`',
  '2. look at \\\\server\\share',
  '• naïve café, “quotes”, 你好 🙂',
  ...Array.from({ length: 6 }, () => 'Do not change what the other tests expect.'),
].join('\n');

export const writtenLives: Lives = { eventsPerJob: HEARTBEATS + 3, of: events };

function* events(jobs: number): Generator<LedgerEvent> {
  let seq = 0;
  for (let job = 0; job < jobs; job++)
    for (const [event_type, payload] of lifeOf(job)) yield eventOf(event_type, job, ++seq, payload);
}

function lifeOf(job: number): [string, NonNullable<LedgerEvent['payload']>][] {
  const lease = { claim_token: job.toString(16).padStart(32, '0'), lease_epoch: 1 };
  const lease_expires_at = timestamp(LEASE_END_MS);
  const folder = `.agents/runs/job_${job}/attempt-1`;
  const output = `${folder}/output.log`;
  const usage = { input_tokens: 12_345, output_tokens: 678 };
  return [
    [
      'job.accepted',
      {
        idempotency_key: `key-${job}`,
        job_payload: { goal: `${PROMPT}\n(${job})`, options: { depth: 3, temperature: 0.25 } },
        job_type: 'rpi.run',
        max_attempts: 3,
        projection_targets: projectionTargetsOf('rpi.run'),
      },
    ],
    ['job.claimed', { attempt: 1, ...lease, lease_expires_at }],
    ...Array.from({ length: HEARTBEATS }, (): [string, NonNullable<LedgerEvent['payload']>] => [
      'job.heartbeat',
      { artifacts: { output }, ...lease, lease_expires_at },
    ]),
    [
      'job.completed',
      {
        agent_runs: { 'phase-1': { agent: 'claude', cost_usd: 0.1234, turns: 5, usage, verdict: 'succeeded' } },
        artifacts: { output, 'result.json': `${folder}/artifacts/result.json` },
        ...lease,
        result_status: 'succeeded',
      },
    ],
  ];
}

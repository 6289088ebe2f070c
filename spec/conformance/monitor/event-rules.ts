/** What holds for the history itself, whatever made it. */

import type { Report } from '../findings.js';
import { terminal } from '../fold.js';
import { instant, type JsonObject, numberAt, shown, textAt } from '../json.js';
import { judgePayloads } from './payload-rules.js';

interface Lease {
  claims: number;
  token: string | undefined;
  /** The claim named its epoch: then whoever reports names it too. */
  hasEpoch: boolean;
  endsAt: number | undefined;
  live: boolean;
  ended: string | undefined;
  readonly tokens: Set<string>;
}

const claimTypes: Readonly<Record<string, string>> = {
  'job.completed': 'completed',
  'job.failed': 'failed',
  'job.cancelled': 'cancelled',
};

/** Judges a whole list; `report` may be told the same again, it forgets repetitions. */
export function judgeHistory(events: readonly JsonObject[], report: Report, judged: (check: string) => void): void {
  judgeList(events, report);
  judgePayloads(events, report);
  const leases = new Map<string, Lease>();
  for (const event of events) {
    const jobId = textAt(event, 'job_id') ?? '';
    const type = textAt(event, 'event_type') ?? '';
    const lease = leases.get(jobId);
    if (type === 'job.accepted') {
      if (lease !== undefined) {
        report('enqueue.idem.job-id', 'MUST', 'one job.accepted a job', `a second one: ${shown(event)}`);
        continue;
      }
      leases.set(jobId, {
        claims: 0,
        token: undefined,
        hasEpoch: false,
        endsAt: undefined,
        live: false,
        ended: undefined,
        tokens: new Set(),
      });
    } else if (lease !== undefined && type.startsWith('job.')) {
      judgeStep(lease, event, type, report, judged);
    } else if (type in claimTypes || type === 'job.claimed') {
      report('execute.complete', 'MUST', 'job.accepted before any other event of a job', shown(event));
    }
  }
}

/** What holds even where records are missing. */
export function judgeList(events: readonly JsonObject[], report: Report): void {
  judgeIds(events, report);
  judgeTimes(events, report);
}

function judgeIds(events: readonly JsonObject[], report: Report): void {
  const seen = new Set<string>();
  for (const event of events) {
    const id = textAt(event, 'event_id') ?? '';
    if (seen.has(id)) report('observe.events.ids-unique', 'MUST', 'every event_id once', `twice: ${shown(event)}`);
    if (id === '' || /\s/.test(id)) {
      report('observe.events.ids-unique', 'MUST', 'an event_id without white space', shown(event));
    }
    seen.add(id);
  }
}

function judgeTimes(events: readonly JsonObject[], report: Report): void {
  let latest = Number.NEGATIVE_INFINITY;
  for (const event of events) {
    const time = instant(event['occurred_at']);
    if (time === undefined) continue;
    if (time < latest) report('observe.events.envelope', 'SHOULD', '`occurred_at` never goes back', shown(event));
    latest = Math.max(latest, time);
  }
}

function judgeStep(
  lease: Lease,
  event: JsonObject,
  type: string,
  report: Report,
  judged: (check: string) => void,
): void {
  const ending = claimTypes[type];
  if (lease.ended !== undefined) {
    if (ending !== undefined && ending !== lease.ended) {
      report('execute.cancel.running', 'SHOULD', `nothing ends a job that is ${lease.ended}`, shown(event));
    }
    if (type === 'job.claimed') {
      report('execute.state.terminal-final', 'MUST', `no claim of a job that is ${lease.ended}`, shown(event));
    }
    return;
  }
  if (type === 'job.claimed') claim(lease, event, report, judged);
  else if (type === 'job.cancelled') lease.ended = 'cancelled';
  else if (type === 'job.heartbeat' || type === 'job.lease_expired' || ending !== undefined) {
    judgeHolder(lease, event, type, report, judged);
    if (type === 'job.heartbeat')
      lease.endsAt = instant(event['payload'] && textAt(event, 'payload', 'lease_expires_at')) ?? lease.endsAt;
    if (type === 'job.lease_expired') lease.live = false;
    if (ending !== undefined && terminal.includes(ending)) lease.ended = ending;
  }
}

function claim(lease: Lease, event: JsonObject, report: Report, judged: (check: string) => void): void {
  const at = instant(event['occurred_at']);
  if (lease.live && lease.endsAt !== undefined && at !== undefined) {
    judged('execute.lease.no-early-reclaim');
    if (at < lease.endsAt) {
      const expected = `no claim before the lease ends at ${new Date(lease.endsAt).toISOString()}, unless it was given up`;
      report('execute.lease.no-early-reclaim', 'MUST', expected, shown(event));
    }
  }
  lease.claims += 1;
  for (const [name, check] of [
    ['attempt', 'execute.complete'],
    ['lease_epoch', 'execute.lease.reclaim'],
  ] as const) {
    const value = numberAt(event, 'payload', name);
    if (value !== undefined && value !== lease.claims) {
      report(check, 'MUST', `claim number ${lease.claims} of the job has ${name} ${lease.claims}`, shown(event));
    }
  }
  const token = textAt(event, 'payload', 'claim_token');
  if (token !== undefined && lease.tokens.has(token)) {
    report('execute.lease.reclaim', 'MUST', 'a new claim_token for every claim', shown(event));
  }
  if (token !== undefined) lease.tokens.add(token);
  lease.token = token;
  lease.hasEpoch = numberAt(event, 'payload', 'lease_epoch') !== undefined;
  lease.endsAt = instant(textAt(event, 'payload', 'lease_expires_at'));
  lease.live = true;
}

/** Whoever reports must be the one that holds the lease. */
function judgeHolder(
  lease: Lease,
  event: JsonObject,
  type: string,
  report: Report,
  judged: (check: string) => void,
): void {
  const check = 'execute.lease.fencing';
  if (type === 'job.failed' && textAt(event, 'payload', 'failure', 'code') === 'retry_exhausted') return;
  if (lease.claims === 0) {
    report('execute.complete', 'MUST', `a claim before ${type}`, shown(event));
    return;
  }
  const token = textAt(event, 'payload', 'claim_token');
  const epoch = numberAt(event, 'payload', 'lease_epoch');
  if (token === undefined && epoch === undefined) return;
  judged(check);
  if (lease.token !== undefined && token !== lease.token) {
    report(check, 'MUST', `${type} with the claim_token of the latest claim, ${lease.token}`, shown(event));
  }
  if ((epoch !== undefined || lease.hasEpoch) && epoch !== lease.claims) {
    report(check, 'MUST', `${type} with lease_epoch ${lease.claims}, that of the latest claim`, shown(event));
  }
}

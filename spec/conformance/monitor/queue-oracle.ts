/** Holds the views of `/v1/status` against this program's own fold of the events up to the head that they name. */

import type { Report } from '../findings.js';
import { type Fold, type FoldedJob, knownJob, statusesBetween, terminal } from '../fold.js';
import { at, instant, isObject, type JsonObject, objectsAt, same, sameOrBlank, shown, textAt } from '../json.js';

/** When an answer was made, by the clock of this program. */
export interface Moment {
  readonly from: number;
  readonly to: number;
}

export const clockSlackMs = 500;

const queueCheck = 'execute.state.replay-oracle';

export function judgeQueue(fold: Fold, jobs: readonly JsonObject[], moment: Moment, report: Report): void {
  judgeSet(fold, jobs, 'queue.jobs', (expected, observed, isOrder) =>
    report(isOrder ? 'observe.events.submission-order' : queueCheck, 'MUST', expected, observed),
  );
  for (const shownJob of jobs) {
    const job = knownJob(fold, textAt(shownJob, 'job_id'));
    if (job === undefined) continue;
    judgeQueueJob(job, shownJob, moment, (name, expected, observed, severity = 'MUST') =>
      report(
        queueCheck,
        severity,
        `job ${job.jobId}: ${name} ${shown(expected)}, as its events say`,
        `${name} ${shown(observed ?? 'is absent')}`,
      ),
    );
  }
}

type Tell = (name: string, expected: unknown, observed: unknown, severity?: 'MUST' | 'SHOULD') => void;

export function judgeQueueJob(job: FoldedJob, shownJob: JsonObject, moment: Moment, tell: Tell): void {
  judgeCommon(job, shownJob, tell);
  const statuses = statusesBetween(job, moment.from, moment.to, clockSlackMs);
  const status = textAt(shownJob, 'status') ?? '';
  if (!(statuses as readonly string[]).includes(status)) tell('status', statuses.join(' or '), status);
  const exact: readonly (readonly [string, unknown])[] = [
    ['attempt', job.attempt],
    ['lease_epoch', job.attempt],
  ];
  for (const [name, value] of exact) if (!sameOrBlank(value, shownJob[name])) tell(name, value, shownJob[name]);
  const said: readonly (readonly [string, unknown])[] = [
    ['idempotency_key', job.key],
    ['max_attempts', job.maxAttempts],
  ];
  for (const [name, value] of said) {
    if (value !== undefined && !sameOrBlank(value, shownJob[name])) tell(name, value, shownJob[name]);
  }
  if (job.payload !== undefined && !sameText(job.payload, shownJob['payload'] ?? {})) {
    tell('payload', job.payload, shownJob['payload'], 'SHOULD');
  }
  if (job.status === 'running' && status === 'running') judgeLease(job, shownJob, tell);
  if (terminal.includes(job.status) && shownJob['claim_token'] !== undefined && shownJob['claim_token'] !== '') {
    tell('claim_token', 'absent: the job has ended', shownJob['claim_token'], 'SHOULD');
  }
}

/** Payloads are large, and mostly written in the same order everywhere. */
function sameText(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b) || same(a, b);
}

function judgeLease(job: FoldedJob, shownJob: JsonObject, tell: Tell): void {
  if (job.claimToken !== undefined && job.claimToken !== shownJob['claim_token']) {
    tell('claim_token', job.claimToken, shownJob['claim_token']);
  }
  if (job.leaseExpiresAt !== undefined && instant(job.leaseExpiresAt) !== instant(shownJob['lease_expires_at'])) {
    tell('lease_expires_at', job.leaseExpiresAt, shownJob['lease_expires_at']);
  }
}

/** What the queue and the read models show alike. */
function judgeCommon(job: FoldedJob, shownJob: JsonObject, tell: Tell): void {
  if (job.jobType !== undefined && shownJob['job_type'] !== undefined && job.jobType !== shownJob['job_type']) {
    tell('job_type', job.jobType, shownJob['job_type']);
  }
  if (shownJob['request_id'] !== job.requestId) tell('request_id', job.requestId, shownJob['request_id']);
  const withOthers = [...job.requestIds, ...job.otherRequestIds];
  if (!same(shownJob['request_ids'], job.requestIds) && !same(shownJob['request_ids'], withOthers)) {
    tell('request_ids', job.requestIds, shownJob['request_ids']);
  }
  const last = shownJob['last_event_id'];
  if (last !== job.lastEventId && !job.otherLastEvents.includes(String(last)))
    tell('last_event_id', job.lastEventId, last);
  judgeTime('created_at', job.createdAt, shownJob, true, tell);
  judgeTime('updated_at', job.updatedAt, shownJob, job.otherLastEvents.length === 0, tell);
  const targets = shownJob['projection_targets'];
  if (targets === undefined) tell('projection_targets', 'the projections that the job changes', targets, 'SHOULD');
  else if (job.targets !== undefined && !same(job.targets, targets)) tell('projection_targets', job.targets, targets);
  judgeResult(job, shownJob, tell);
}

function judgeTime(name: string, value: string | undefined, shownJob: JsonObject, exact: boolean, tell: Tell): void {
  const seen = shownJob[name];
  if (seen === undefined) tell(name, value, seen, 'SHOULD');
  else if (exact && instant(value) !== instant(seen)) tell(name, value, seen);
}

function judgeResult(job: FoldedJob, shownJob: JsonObject, tell: Tell): void {
  const failure = shownJob['failure'];
  if (job.failure !== undefined) {
    for (const name of ['code', 'message', 'retryable']) {
      const seen = isObject(failure) ? failure[name] : undefined;
      if (!sameOrBlank(job.failure[name], seen)) tell(`failure.${name}`, job.failure[name], seen);
    }
  } else if (job.status !== 'failed' && isObject(failure) && terminal.includes(job.status)) {
    tell('failure', `absent: the job is ${job.status}`, failure);
  }
  for (const [name, path] of Object.entries(job.artifacts ?? {})) {
    const seen = isObject(shownJob['artifacts']) ? shownJob['artifacts'][name] : undefined;
    if (seen !== path) tell(`artifacts.${name}`, path, seen);
  }
  for (const [name, path] of Object.entries(isObject(shownJob['artifacts']) ? shownJob['artifacts'] : {})) {
    if (!job.artifactNames.has(name)) tell(`artifacts.${name}`, 'absent', path, 'SHOULD');
  }
  for (const [name, reference] of Object.entries(job.artifactRefs ?? {})) {
    const refs = shownJob['artifact_refs'];
    const seen = isObject(refs) ? refs[name] : undefined;
    if (!sameReference(seen, reference))
      tell(`artifact_refs.${name}`, reference, seen, isObject(seen) ? 'MUST' : 'SHOULD');
  }
}

/** A view may say more of an artifact than its event. */
function sameReference(seen: unknown, reference: unknown): boolean {
  const members = ['path', 'sha256', 'size'];
  const isSame = members.every((name) => same(at(seen, name), at(reference, name)));
  return isSame && instant(at(seen, 'written_at')) === instant(at(reference, 'written_at'));
}

/** The same jobs, each once, in the order of acceptance. @param tell also whether only the order is wrong */
export function judgeSet(
  fold: Fold,
  jobs: readonly JsonObject[],
  where: string,
  tell: (expected: string, observed: string, isOrder: boolean) => void,
  all: readonly string[] = [...fold.jobs.keys()],
): void {
  const isKnown = (id: string): boolean => !fold.acceptedTwice.has(id);
  const wanted = all.filter(isKnown);
  const ids = jobs.map((job) => textAt(job, 'job_id') ?? '').filter(isKnown);
  if (same(ids, wanted)) return;
  const missing = wanted.filter((id) => !ids.includes(id));
  const extra = ids.filter((id, index) => !wanted.includes(id) || ids.indexOf(id) !== index);
  const isOrder = missing.length + extra.length === 0;
  const observed = isOrder
    ? `another order: ${shown(ids.slice(0, 10))}`
    : `missing ${shown(missing.slice(0, 5))}, too many ${shown(extra.slice(0, 5))}`;
  tell(`${where} holds the jobs that the events name, each once, in the order of acceptance`, observed, isOrder);
}

const results: Readonly<Record<string, string>> = { completed: 'succeeded', failed: 'failed', cancelled: 'cancelled' };

/** A job of a read model. @param live whether a status that is not final is judged, and how */
export function judgeView(job: FoldedJob, view: JsonObject, moment: Moment, live: 'MUST' | 'SHOULD', tell: Tell): void {
  judgeCommon(job, view, tell);
  const statuses: readonly string[] = statusesBetween(job, moment.from, moment.to, clockSlackMs);
  const status = textAt(view, 'status') ?? '';
  const firm = terminal.includes(job.status) || job.status === 'queued' || terminal.includes(status);
  if (!statuses.includes(status)) tell('status', statuses.join(' or '), status, firm ? 'MUST' : live);
  const result = view['result_status'];
  if (result !== undefined && result !== results[job.status])
    tell('result_status', results[job.status] ?? 'absent', result);
  if (result === undefined && terminal.includes(job.status)) {
    tell('result_status', results[job.status], 'absent', 'SHOULD');
  }
  if (view['job_type'] === undefined) tell('job_type', job.jobType ?? 'that of the job', undefined, 'SHOULD');
}

/** Which jobs a list of the read models holds. */
export function bucketOf(
  kind: 'rpi' | 'dream' | 'wiki' | 'runs' | 'jobs',
  fold: Fold,
  types: (id: string) => string | undefined,
): string[] {
  const prefixes = { rpi: ['rpi.'], dream: ['dream.'], wiki: ['wiki.'], runs: ['rpi.', 'dream.'], jobs: [''] }[kind];
  return [...fold.jobs.keys()].filter((id) => prefixes.some((prefix) => (types(id) ?? '').startsWith(prefix)));
}

export function typesOf(fold: Fold, jobs: readonly JsonObject[]): (id: string) => string | undefined {
  const said = new Map(objectsAt({ jobs }, 'jobs').map((job) => [textAt(job, 'job_id'), textAt(job, 'job_type')]));
  return (id) => fold.jobs.get(id)?.jobType ?? said.get(id);
}

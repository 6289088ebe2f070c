/** What `/openclaw/v1/*` shows: the same state for readers that own none of the storage, each resource with its provenance. */
import type { components } from './contract.js';
import { jobTypes } from './event.js';
import { type Job, statusAt } from './job.js';
import { outcomeMembers } from './job-views.js';
import { list, member } from './optional-members.js';
import type { State } from './state.js';
import type { ViewContext } from './view-context.js';
import { isDegraded, projectionReasons, projectionStatus, SOURCE_LEDGER, snapshotId } from './views.js';

type Schemas = components['schemas'];
export type ConsumerResource = Schemas['ConsumerResource'];
export type ConsumerSnapshot = Schemas['ConsumerSnapshot'];
export type ResourceKind = ConsumerResource['resource_kind'];
type Link = Schemas['ProvenanceLink'];

export function consumerRuns(state: State, context: ViewContext): Schemas['ConsumerRuns'] {
  return { runs: resources(state, context, 'run') };
}
export function consumerJobs(state: State, context: ViewContext): Schemas['ConsumerJobs'] {
  return { jobs: resources(state, context, 'job') };
}
export function consumerWiki(state: State, context: ViewContext): Schemas['ConsumerWiki'] {
  return { wiki: resources(state, context, 'wiki') };
}

export function consumerSnapshot(state: State, context: ViewContext): ConsumerSnapshot {
  return snapshotFrame(state, context, (kind) => resources(state, context, kind));
}

/** The snapshot around its lists, whatever they are made of. */
export function snapshotFrame<List>(state: State, context: ViewContext, listOf: (kind: ResourceKind) => List) {
  return {
    schema_version: 1 as const,
    ...identity(state, context),
    status: projectionStatus('openclaw-snapshot', state, context),
    resources: { runs: listOf('run'), jobs: listOf('job'), wiki: listOf('wiki') },
  };
}

export function consumerHealth(state: State, context: ViewContext): Schemas['ConsumerHealth'] {
  const counts = { runs: 0, jobs: 0, wiki: 0 };
  for (const job_type of jobTypes) {
    const jobs = state.countOfType(job_type);
    counts.jobs += jobs;
    if (belongs({ job_id: '', job_type }, 'run')) counts.runs += jobs;
    if (belongs({ job_id: '', job_type }, 'wiki')) counts.wiki += jobs;
  }
  return {
    status: 'ok',
    ready: !isDegraded(context.health),
    ...identity(state, context),
    snapshot_status: projectionStatus('openclaw-snapshot', state, context),
    resource_counts: counts,
    ...list('degraded_reasons', projectionReasons('openclaw-snapshot', state, context)),
  };
}

function identity(state: State, context: ViewContext) {
  return {
    snapshot_id: snapshotId(state),
    generated_at: context.rebuiltAt,
    source: { ledger: SOURCE_LEDGER, ...member('last_event_id', state.lastEventId) },
  };
}

function resources(state: State, context: ViewContext, kind: ResourceKind): ConsumerResource[] {
  const found: ConsumerResource[] = [];
  for (const job of state.jobs()) if (belongs(job, kind)) found.push(consumerResource(job, kind, context));
  return found;
}

/** Whether a job stands in the list of this kind. */
export function belongs(job: Pick<Job, 'job_id' | 'job_type'>, kind: ResourceKind): boolean {
  if (kind === 'job') return true;
  if (kind === 'wiki') return job.job_type.startsWith('wiki.');
  return runIdOf(job) !== undefined;
}

/** A run is what `rpi.*` and `dream.*` jobs do; it has the job's id. */
function runIdOf(job: Pick<Job, 'job_id' | 'job_type'>): string | undefined {
  return job.job_type.startsWith('rpi.') || job.job_type.startsWith('dream.') ? job.job_id : undefined;
}

export function consumerResource(job: Job, kind: ResourceKind, context: ViewContext): ConsumerResource {
  const { failure, ...outcome } = outcomeMembers(job);
  return {
    resource_id: kind === 'wiki' ? `wiki-${job.job_id}` : job.job_id,
    resource_kind: kind,
    job_id: job.job_id,
    job_type: job.job_type,
    ...member('run_id', runIdOf(job)),
    request_id: job.request_id,
    request_ids: [...job.request_ids],
    status: statusAt(job, context.wallMs),
    ...member('result_status', job.result_status),
    ...(failure === undefined ? {} : { failure: { ...failure, message: failure.message ?? failure.code } }),
    ...outcome,
    created_at: job.created_at,
    updated_at: job.updated_at,
    last_event_id: job.last_event_id,
    provenance: provenanceOf(job),
  };
}

function provenanceOf(job: Job): Link[] {
  const { job_id } = job;
  const run = member('run_id', runIdOf(job));
  const links: Link[] = [
    { rel: 'source-event', kind: 'daemon-ledger-event', event_id: job.last_event_id },
    { rel: 'source-job', kind: 'daemon-job', job_id },
  ];
  if (run.run_id !== undefined) links.push({ rel: 'source-run', kind: 'daemon-run', run_id: run.run_id, job_id });
  for (const [artifact, target] of Object.entries(job.artifacts ?? {}).sort(byName)) {
    const place = target.includes('://') ? { uri: target } : { path: target };
    links.push({ rel: 'artifact', kind: 'artifact', artifact, job_id, ...run, ...place });
  }
  return links;
}

function byName([one]: [string, string], [other]: [string, string]): number {
  return one < other ? -1 : Number(one > other);
}

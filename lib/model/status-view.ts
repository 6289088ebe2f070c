/**
 * Status: the queue and the read models of all jobs, or of a part of them. Its lists can be made at once, or as texts
 * while they are sent: what stands around them is the same.
 */
import { type Job, statusAt } from './job.js';
import { jobView, type QueueJob, queueJobView } from './job-views.js';
import { list, member } from './optional-members.js';
import type { State } from './state.js';
import type { ViewContext } from './view-context.js';
import {
  isDegraded,
  manifestsView,
  projectionLag,
  projectionReasons,
  projectionStatus,
  SOURCE_LEDGER,
  type Status,
  snapshotId,
} from './views.js';

/** A part of the list of jobs. */
export interface JobSelection {
  readonly matches?: (job: Pick<QueueJob, 'job_id' | 'job_type' | 'status'>) => boolean;
  readonly limit?: number;
  /** Only jobs accepted after this one. */
  readonly afterJobId?: string;
}

/** The lists of Status, whatever they are made of: views, or texts that are made as they are sent. */
export interface StatusLists<Queue, Views> {
  readonly queue: Queue;
  readonly jobs: Views;
  readonly rpi: Views;
  readonly dream: Views;
  readonly wiki: Views;
  /** `rpi` and `dream` together. */
  readonly runs: Views;
}

export function statusView(state: State, context: ViewContext, selection: JobSelection = {}): Status {
  const selected = [...selectedJobs(state.jobs(), context, selection)].filter((job) => job !== undefined);
  const views = selected.map((job) => jobView(job, context));
  const lists = statusLists(
    selected.map((job) => queueJobView(job, context)),
    (...beginnings) => views.filter(({ job_type }) => beginsWith(job_type ?? '', beginnings)),
  );
  return statusFrame(state, context, lists);
}

export function beginsWith(jobType: string, beginnings: readonly string[]): boolean {
  return beginnings.some((beginning) => jobType.startsWith(beginning));
}

/** The jobs of a selection among all, in the order of acceptance; undefined for each that is not one of them. */
export function* selectedJobs(
  jobs: Iterable<Job>,
  { wallMs }: ViewContext,
  { matches, limit = Number.POSITIVE_INFINITY, afterJobId }: JobSelection,
): Generator<Job | undefined> {
  let count = 0;
  let passed = afterJobId === undefined;
  for (const job of jobs) {
    if (count >= limit) break;
    const { job_id, job_type } = job;
    const fits = passed && (matches?.({ job_id, job_type, status: statusAt(job, wallMs) }) ?? true);
    if (fits) count++;
    passed ||= job_id === afterJobId;
    yield fits ? job : undefined;
  }
}

/** Which jobs stand in which list. @param views the list of the jobs whose type begins with one of the words */
export function statusLists<Queue, Views>(
  queue: Queue,
  views: (...beginnings: string[]) => Views,
): StatusLists<Queue, Views> {
  return {
    queue,
    jobs: views(''),
    rpi: views('rpi.'),
    dream: views('dream.'),
    wiki: views('wiki.'),
    runs: views('rpi.', 'dream.'),
  };
}

/** Status around its lists. */
export function statusFrame<Queue, Views>(state: State, context: ViewContext, lists: StatusLists<Queue, Views>) {
  return {
    ready: !isDegraded(context.health),
    projection_lag: projectionLag(state, context),
    queue: { jobs: lists.queue, ...member('last_event_id', state.lastEventId) },
    projections: projectionsFrame(state, context, lists),
    ...list('warnings', context.warnings()),
  };
}

function projectionsFrame<Queue, Views>(
  state: State,
  context: ViewContext,
  { jobs, rpi, dream, wiki, runs }: StatusLists<Queue, Views>,
) {
  const { rebuiltAt } = context;
  const lastEventId = member('last_event_id', state.lastEventId);
  return {
    schema_version: 1 as const,
    rebuilt_at: rebuiltAt,
    source_ledger: SOURCE_LEDGER,
    ...lastEventId,
    manifests: manifestsView(state, context),
    jobs,
    rpi: { runs: rpi },
    dream: { runs: dream },
    wiki: { jobs: wiki },
    openclaw: {
      schema_version: 1 as const,
      snapshot_id: snapshotId(state),
      generated_at: rebuiltAt,
      source: { ledger: SOURCE_LEDGER, ...lastEventId },
      resources: { runs, jobs, wiki },
      status: projectionStatus('openclaw-snapshot', state, context),
    },
    ...list('degraded_reasons', projectionReasons('daemon-status', state, context)),
  };
}

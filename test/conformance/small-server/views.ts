/** What the small server shows of its state. */
import { type Job, type Queue, targetsOf } from './queue.js';

const LEDGER = 'history';
const MANIFESTS = [
  'rpi-registry',
  'dream-runs',
  'wiki-jobs',
  'openclaw-snapshot',
  'daemon-status',
  'daemon-job-status',
];

const now = (): string => new Date().toISOString();
const headOf = ({ ledger }: Queue): { last_event_id?: string } => {
  const last_event_id = ledger.events.at(-1)?.event_id;
  return last_event_id === undefined ? {} : { last_event_id };
};

export function lagOf(queue: Queue) {
  const { events, corrupt } = queue.ledger;
  const counts = { event_count: events.length, corrupt_record_count: corrupt.length, degraded: corrupt.length > 0 };
  return { ...headOf(queue), ...counts };
}

function reasonsOf({ ledger: { corrupt } }: Queue): { degraded_reasons?: string[] } {
  return corrupt.length === 0 ? {} : { degraded_reasons: [`${corrupt.length} records of the history can't be read`] };
}

const statusOf = ({ ledger: { corrupt } }: Queue): string => (corrupt.length === 0 ? 'current' : 'degraded');

export function judgedAs(queue: Queue) {
  return { projection_status: statusOf(queue), projection_lag: lagOf(queue), ...reasonsOf(queue) };
}

export function health() {
  return { status: 'ok', daemon: 'small-server', read_only: true, now: now() };
}

export function ready(queue: Queue) {
  const isWhole = queue.ledger.corrupt.length === 0;
  return { ready: isWhole, ledger_replay_status: isWhole ? 'complete' : 'corrupt', ...judgedAs(queue) };
}

/** @throws RangeError with what is wrong about the query */
export function events(queue: Queue, query: URLSearchParams) {
  const { events: all, corrupt } = queue.ledger;
  const cursor = query.get('since') || query.get('after_id') || '';
  const from = cursor === '' ? 0 : all.findIndex(({ event_id }) => event_id === cursor) + 1;
  if (cursor !== '' && from === 0) throw new RangeError('nobody knows this cursor');
  const limit = query.get('limit')?.trim() ?? '';
  if (!/^\d*$/.test(limit)) throw new RangeError('limit is a whole number');
  const to = limit === '' ? all.length : from + Math.min(Number(limit), 1_000);
  return { events: all.slice(from, to), ...(corrupt.length === 0 ? {} : { corrupt }), ...headOf(queue) };
}

export function queueJob(job: Job) {
  return { ...job, attempt: 0, max_attempts: 1, projection_targets: targetsOf(job) };
}

function view(job: Job) {
  const { payload: _, idempotency_key: __, ...shown } = job;
  const result = job.status === 'cancelled' ? { result_status: 'cancelled' } : {};
  return { ...shown, ...result, projection_targets: targetsOf(job) };
}

export function status(queue: Queue) {
  const jobs = [...queue.jobs.values()];
  const of = (pattern: RegExp) => jobs.filter(({ job_type }) => pattern.test(job_type)).map(view);
  return {
    ready: queue.ledger.corrupt.length === 0,
    projection_lag: lagOf(queue),
    queue: { jobs: jobs.map(queueJob), ...headOf(queue) },
    projections: {
      schema_version: 1,
      rebuilt_at: now(),
      source_ledger: LEDGER,
      ...headOf(queue),
      ...reasonsOf(queue),
      manifests: Object.fromEntries(MANIFESTS.map((name) => [name, manifest(queue, name)])),
      jobs: of(/./),
      rpi: { runs: of(/^rpi\./) },
      dream: { runs: of(/^dream\./) },
      wiki: { jobs: of(/^wiki\./) },
      openclaw: {
        schema_version: 1,
        snapshot_id: `snap-${queue.ledger.events.length}`,
        generated_at: now(),
        source: { ledger: LEDGER, ...headOf(queue) },
        status: statusOf(queue),
        resources: { runs: of(/^(rpi|dream)\./), jobs: of(/./), wiki: of(/^wiki\./) },
      },
    },
  };
}

function manifest(queue: Queue, projection: string) {
  const made = { schema_version: 1, projection, source_ledger: LEDGER, rebuilt_at: now() };
  return { ...made, status: statusOf(queue), ...headOf(queue), ...reasonsOf(queue) };
}

/** Views that do not say what the others say of the same state. */
import { edits } from '../mistakes/mistake.js';
import { type Body, jobsOf, type WireJob } from '../wire.js';
import { tellingChecks } from './right.js';
import { type Spoiling, spoilings } from './spoiling.js';

interface List {
  readonly name: string;
  readonly of: (body: Body) => WireJob[];
  readonly right: readonly string[];
}

const lists: readonly List[] = [
  { name: 'queue.jobs', of: ({ queue }) => queue.jobs, right: ['execute.*', 'enqueue.submit.in-status'] },
  { name: 'projections.jobs', of: ({ projections }) => projections.jobs, right: ['project.rebuild.oracle'] },
  {
    name: 'projections.openclaw.resources.jobs',
    of: ({ projections }) => projections.openclaw.resources.jobs,
    right: ['project.rebuild.oracle'],
  },
];

/** A status that is shown as another. */
const pairs = [
  ['queued', 'running'],
  ['completed', 'running'],
  ['cancelled', 'failed'],
  ['failed', 'completed'],
  ['cancelled', 'queued'],
  ['running', 'queued'],
  ['running', 'completed'],
] as const;

type Edit = (jobs: WireJob[]) => WireJob[];

const shownAs =
  (from: string, to: string): Edit =>
  (jobs) =>
    jobs.map((job) => (job.status === from ? { ...job, status: to } : job));

const edited =
  (route: RegExp, edit: (body: Body) => void): Spoiling['make'] =>
  () =>
    edits(route, edit);
const itself = (make: Spoiling['make']) => make;

export function viewSpoilings(): Spoiling[] {
  return [...lists.flatMap(listSpoilings), ...otherSpoilings()];
}

function listSpoilings({ name, of, right }: List): Spoiling[] {
  const make = (edit: Edit): Spoiling['make'] =>
    edited(/^GET \/v1\/status$/, (body) => {
      const jobs = of(body);
      jobs.splice(0, jobs.length, ...edit(jobs));
    });
  const statuses = Object.fromEntries(
    pairs.map(([from, to]) => [`${name} | ${from} shown as ${to}`, shownAs(from, to)]),
  );
  const places: Record<string, Edit> = {
    [`${name} | the first at the end`]: (jobs) => [...jobs.slice(1), ...jobs.slice(0, 1)],
    [`${name} | an old one goes`]: (jobs) => (jobs.length > 1 ? jobs.slice(1) : jobs),
    [`${name} | ended ones go`]: (jobs) =>
      jobs.filter(({ status }) => !/^(?:completed|failed|cancelled)$/.test(status)),
  };
  return [
    ...spoilings('GET /v1/status', right, statuses, make, tellingChecks),
    ...spoilings('GET /v1/status', [...right, 'observe.events.submission-order'], places, make, tellingChecks),
  ];
}

function otherSpoilings(): Spoiling[] {
  const oracles = ['execute.*', 'enqueue.submit.*', 'project.rebuild.oracle'];
  return [
    ...spoilings(
      'GET *',
      oracles,
      {
        'job ids | in capital letters': edited(/^GET /, (body) => {
          for (const job of jobsOf(body)) job.job_id = job.job_id.toUpperCase();
        }),
      },
      itself,
      tellingChecks,
    ),
    ...spoilings(
      'GET /openclaw/v1/*',
      ['project.consumer.*'],
      {
        'the status of jobs | always queued': edited(/^GET \/openclaw\//, (body) => {
          for (const job of jobsOf(body)) job.status = 'queued';
        }),
      },
      itself,
    ),
    ...spoilings(
      'GET /v1/ready',
      ['observe.ready.*', 'observe.status.agrees-with-ready', 'observe.events.count-matches-lag'],
      {
        'the count | that of jobs': edited(/^GET \/v1\/ready$/, ({ projection_lag }) => {
          projection_lag.event_count = Math.ceil(projection_lag.event_count / 2);
        }),
        'degraded_reasons | beside current': edited(/^GET \/v1\/ready$/, (body) => {
          body.degraded_reasons = ['somebody thinks so'];
        }),
      },
      itself,
    ),
    ...spoilings(
      'GET /v1/events',
      ['observe.events.count-matches-lag', 'observe.degraded.corrupt-listed', 'observe.events.*', 'observe.ready.*'],
      {
        'corrupt | one that nobody counts': edited(/^GET \/v1\/events$/, (body) => {
          body.corrupt = [{ line_number: 1 }].map((each) => ({ ...each, error: 'not JSON' }));
        }),
      },
      itself,
      tellingChecks,
    ),
  ];
}

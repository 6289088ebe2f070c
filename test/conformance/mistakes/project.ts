/** Mistakes in the views of the consumer, and in its trigger. */
import { type Answer, answerOf, type Body, bodyOf, jobsOf, type Lists, routeOf } from '../wire.js';
import { asksOtherwise, CONSUMER, edits, isTerminal, type Mistaken, mistake, STATUS, TRIGGER } from './mistake.js';

const RUNS = /^GET \/openclaw\/v1\/runs$/;
const COUNTS = /^GET \/openclaw\/v1\/health$/;
const SNAPSHOT = /^GET \/openclaw\/v1\/snapshot\/latest$/;
const OTHER_TYPE = 'wiki.build';
const SHOWN_AS_DONE_AFTER_MS = 10_000;

/** The three lists of a consumer's answer, wherever they stand in it. */
function listsOf(body: Body): Partial<Lists> {
  return body.resources ?? body;
}

/** A change of the bare list. */
function bare({ runs }: Body): unknown {
  return runs;
}

/** Nothing but what was there when each job was first seen. */
function keepsFirstSight(): Mistaken {
  const first = new Map<string, string>();
  return edits(CONSUMER, (body) => {
    for (const list of Object.values(listsOf(body))) {
      if (!Array.isArray(list)) continue;
      for (const job of list) {
        const kept = first.get(job.job_id);
        if (kept === undefined) first.set(job.job_id, job.status);
        else if (isTerminal(job)) job.status = kept;
      }
    }
  });
}

function alsoAmongRuns(body: Body): void {
  const lists = listsOf(body);
  if (lists.runs !== undefined && lists.wiki !== undefined) lists.runs.push(...lists.wiki);
}

/** A new identity for each answer. */
function changesIdentity(): Mistaken {
  let count = 0;
  return edits(SNAPSHOT, (body) => {
    count += 1;
    body.snapshot_id = `snap_${count}`;
  });
}

/** A type that is on no list is taken like one that is. */
const admitsOther = asksOtherwise(TRIGGER, (body) =>
  body.job_type === OTHER_TYPE ? { ...body, job_type: 'wiki.forge' } : undefined,
);

export const projectMistakes = [
  mistake('project.consumer.shapes', 'runs are a list without a name', edits(RUNS, bare)),
  mistake(
    'project.consumer.empty',
    'nothing at all is degraded',
    edits(SNAPSHOT, (body) => {
      if (body.resources.jobs.length === 0) body.status = 'stale';
    }),
  ),
  mistake('project.consumer.lists-equal-snapshot', 'cancelled jobs count twice', ({ read }) =>
    edits(COUNTS, async (body) => {
      const { jobs } = (await read('/openclaw/v1/snapshot/latest')).resources;
      body.resource_counts.jobs += jobs.filter(({ status }) => status === 'cancelled').length;
    }),
  ),
  mistake('project.consumer.equals-status', 'the consumer sees what a submit put there', keepsFirstSight),
  mistake(
    'project.consumer.live-status',
    'a running job is a queued one',
    edits(CONSUMER, (body) => {
      for (const job of jobsOf(body)) if (job.status === 'running') job.status = 'queued';
    }),
  ),
  mistake('project.consumer.kinds', 'jobs of the wiki are runs too', edits(CONSUMER, alsoAmongRuns)),
  mistake('project.consumer.snapshot-identity', 'each answer is a snapshot of its own', changesIdentity),
  mistake(
    'project.consumer.provenance',
    'a link names an event that never was',
    edits(CONSUMER, (body) => {
      for (const { provenance } of jobsOf(body)) {
        for (const link of provenance ?? []) if (link.event_id !== undefined) link.event_id += '-gone';
      }
    }),
  ),
  mistake('project.consumer.read-only', 'whatever is sent to a view is a read', {
    ask: (asked) =>
      /^(?:POST|PUT|DELETE) \/openclaw\/v1\/(?:runs|jobs|wiki)$/.test(routeOf(asked))
        ? { ...asked, method: 'GET', body: Buffer.alloc(0) }
        : undefined,
  }),
  mistake('project.consumer.no-storage-handle', 'the ledger is named by its place on the disk', ({ folder }) =>
    edits(CONSUMER, (body) => {
      if (body.source !== undefined) body.source.ledger = `${folder}/${body.source.ledger}`;
    }),
  ),
  mistake(
    'project.trigger.allowlisted',
    'a type of the list was forgotten',
    asksOtherwise(TRIGGER, ({ job_type }) =>
      job_type === 'dream.run' ? answerOf(400, { error: 'this type has no trigger' }) : undefined,
    ),
  ),
  mistake('project.trigger.not-allowlisted', 'every type has a trigger', admitsOther),
  mistake('project.trigger.bad-input', 'what is no JSON is a fault of the server', {
    answer: (answer: Answer, asked) =>
      answer.status === 400 && TRIGGER.test(routeOf(asked)) && bodyOf(asked) === undefined
        ? answerOf(500, { error: 'unexpected end' })
        : undefined,
  }),
  mistake(
    'project.rebuild.oracle',
    'what waits for long is shown as done',
    edits(STATUS, ({ projections }) => {
      for (const job of projections.jobs) {
        const ageMs = Date.now() - Date.parse(job.created_at);
        if (job.status === 'queued' && ageMs > SHOWN_AS_DONE_AFTER_MS) job.status = 'completed';
      }
    }),
  ),
];

/** What one answer of `/v1/status` says in several places has to be one thing, and that of the events. */
import type { Report } from '../findings.js';
import { type Fold, knownJob } from '../fold.js';
import { at, instant, isObject, type JsonObject, objectsAt, shown, textAt } from '../json.js';
import { momentProblem } from './moments.js';
import { bucketOf, judgeQueue, judgeSet, judgeView, type Moment, typesOf } from './queue-oracle.js';

const viewCheck = 'project.rebuild.oracle';

/** The head that a status names; undefined on an empty ledger. */
export function headOf(status: unknown): string | undefined {
  return (
    textAt(status, 'projection_lag', 'last_event_id') ??
    textAt(status, 'queue', 'last_event_id') ??
    textAt(status, 'projections', 'last_event_id')
  );
}

/** Without any knowledge of the events. */
export function judgeStatusAlone(status: unknown, report: Report): void {
  const lag = textAt(status, 'projection_lag', 'last_event_id');
  const heads = {
    queue: textAt(status, 'queue', 'last_event_id'),
    projections: textAt(status, 'projections', 'last_event_id'),
  };
  for (const [name, head] of Object.entries(heads)) {
    if (head !== lag) {
      report(
        'observe.status.head-equals-ledger-head',
        'MUST',
        `${name}.last_event_id is projection_lag.last_event_id, ${shown(lag ?? 'absent')}`,
        shown(head ?? 'absent'),
      );
    }
  }
  const source = textAt(status, 'projections', 'openclaw', 'source', 'last_event_id');
  if (source !== lag) {
    report(
      'observe.status.head-equals-ledger-head',
      'MUST',
      `projections.openclaw.source.last_event_id is the ledger's head, ${shown(lag ?? 'absent')}`,
      shown(source ?? 'absent'),
    );
  }
  judgeManifests(status, lag, report);
}

function judgeManifests(status: unknown, head: string | undefined, report: Report): void {
  const manifests = at(status, 'projections', 'manifests');
  if (!isObject(manifests)) return;
  const must = (expected: string, observed: unknown): void =>
    report('observe.status.manifests', 'MUST', expected, shown(observed ?? 'absent'));
  for (const [name, manifest] of Object.entries(manifests)) {
    if (textAt(manifest, 'projection') !== name)
      must(`manifest ${name} names itself in \`projection\``, at(manifest, 'projection'));
    if (!['current', 'stale', 'degraded'].includes(textAt(manifest, 'status') ?? '')) {
      must(`manifest ${name} is current, stale or degraded`, at(manifest, 'status'));
    }
    if (instant(at(manifest, 'rebuilt_at')) === undefined)
      must(`rebuilt_at of manifest ${name} is RFC 3339`, at(manifest, 'rebuilt_at'));
    if (head !== undefined && textAt(manifest, 'last_event_id') !== head) {
      must(`last_event_id of manifest ${name} is the ledger's head, ${head}`, at(manifest, 'last_event_id'));
    }
    const ledgers = [at(manifest, 'source_ledger'), at(status, 'projections', 'source_ledger')];
    if (ledgers[0] !== ledgers[1]) must(`source_ledger of manifest ${name} is that of the projections`, ledgers[0]);
  }
}

/** @param fold of the events up to the head that the status names */
export function judgeStatus(status: unknown, fold: Fold, moment: Moment, report: Report): void {
  const jobs = objectsAt(status, 'queue', 'jobs');
  judgeQueue(fold, jobs, moment, report);
  judgeRebuild(status, fold, moment, report);
  const types = typesOf(fold, jobs);
  const lists: readonly (readonly [string, readonly JsonObject[], 'jobs' | 'rpi' | 'dream' | 'wiki' | 'runs'])[] = [
    ['projections.jobs', objectsAt(status, 'projections', 'jobs'), 'jobs'],
    ['projections.rpi.runs', objectsAt(status, 'projections', 'rpi', 'runs'), 'rpi'],
    ['projections.dream.runs', objectsAt(status, 'projections', 'dream', 'runs'), 'dream'],
    ['projections.wiki.jobs', objectsAt(status, 'projections', 'wiki', 'jobs'), 'wiki'],
    ['projections.openclaw.resources.jobs', objectsAt(status, 'projections', 'openclaw', 'resources', 'jobs'), 'jobs'],
    ['projections.openclaw.resources.runs', objectsAt(status, 'projections', 'openclaw', 'resources', 'runs'), 'runs'],
    ['projections.openclaw.resources.wiki', objectsAt(status, 'projections', 'openclaw', 'resources', 'wiki'), 'wiki'],
  ];
  for (const [where, list, bucket] of lists) {
    judgeSet(
      fold,
      list,
      where,
      (expected, observed) => report(viewCheck, 'MUST', expected, observed),
      bucketOf(bucket, fold, types),
    );
    for (const view of list) {
      const job = knownJob(fold, textAt(view, 'job_id'));
      if (job === undefined) continue;
      judgeView(job, view, moment, 'SHOULD', (name, expected, observed, severity = 'MUST') =>
        report(
          viewCheck,
          severity,
          `${where}, job ${job.jobId}: ${name} ${shown(expected)}, as its events say`,
          `${name} ${shown(observed ?? 'is absent')}`,
        ),
      );
    }
  }
}

/** When the read models say that they were made, and whether they are behind. */
function judgeRebuild(status: unknown, fold: Fold, moment: Moment, report: Report): void {
  const projections = at(status, 'projections');
  const should = (expected: string, observed: unknown): void =>
    report('observe.status.manifests', 'SHOULD', expected, shown(observed ?? 'absent'));
  const manifests = Object.entries(
    isObject(at(projections, 'manifests')) ? (at(projections, 'manifests') as object) : {},
  );
  const times: readonly (readonly [string, unknown])[] = [
    ['projections.rebuilt_at', at(projections, 'rebuilt_at')],
    ['projections.openclaw.generated_at', at(projections, 'openclaw', 'generated_at')],
    ...manifests.map(([name, manifest]) => [`rebuilt_at of manifest ${name}`, at(manifest, 'rebuilt_at')] as const),
  ];
  for (const [name, value] of times) {
    const problem = momentProblem(value, fold, moment);
    if (problem !== undefined) should(`${name} is ${problem}`, value);
  }
  if (fold.markedStale) return;
  for (const [name, manifest] of manifests) {
    const isAtHead = textAt(manifest, 'last_event_id') === fold.lastEventId;
    if (isAtHead && textAt(manifest, 'status') === 'stale') {
      should(`manifest ${name} is not stale: it holds the last event, and none marked it`, manifest);
    }
  }
}

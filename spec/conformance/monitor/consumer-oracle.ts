/** Holds the consumer's resources against the fold of the events up to the head that the snapshot names. */
import type { Report } from '../findings.js';
import { type Fold, knownJob } from '../fold.js';
import { at, canonical, isObject, type JsonObject, numberAt, objectsAt, shown, textAt } from '../json.js';
import { momentProblem } from './moments.js';
import { bucketOf, judgeSet, judgeView, type Moment, typesOf } from './queue-oracle.js';

export const consumerLists = [
  ['runs', 'run', 'runs'],
  ['jobs', 'job', 'jobs'],
  ['wiki', 'wiki', 'wiki'],
] as const;

/** What each resource says of itself, without any knowledge of the events. */
export function judgeResources(list: readonly JsonObject[], kind: 'run' | 'job' | 'wiki', report: Report): void {
  const must = (expected: string, observed: unknown): void =>
    report('project.consumer.kinds', 'MUST', expected, shown(observed));
  // A job that is shown twice is told by what holds the list against the events.
  const jobs = new Map<string, unknown>();
  for (const resource of list) {
    const id = textAt(resource, 'resource_id') ?? '';
    if (textAt(resource, 'resource_kind') !== kind) must(`resource_kind ${kind}, that of its list`, resource);
    const isTaken = jobs.has(id) && jobs.get(id) !== resource['job_id'];
    if (id === '' || isTaken) must('a resource_id that is unique in its list', resource);
    jobs.set(id, resource['job_id']);
    judgeNames(resource, kind, report);
    judgeProvenance(resource, report);
    judgeHandles(resource, report);
  }
}

/** A resource is named after its job, a run too. */
function judgeNames(resource: JsonObject, kind: 'run' | 'job' | 'wiki', report: Report): void {
  const should = (expected: string): void => report('project.consumer.kinds', 'SHOULD', expected, shown(resource));
  const jobId = textAt(resource, 'job_id');
  const type = textAt(resource, 'job_type');
  if (jobId === undefined) {
    should('the `job_id` of a resource');
    return;
  }
  const wanted = kind === 'wiki' ? `wiki-${jobId}` : jobId;
  if (resource['resource_id'] !== wanted) should(`resource_id ${wanted}`);
  if (type === undefined) return;
  const runId = /^(rpi|dream)\./.test(type) ? jobId : undefined;
  if ((textAt(resource, 'run_id') ?? '') !== (runId ?? ''))
    should(`run_id ${runId ?? 'absent'} of a job of type ${type}`);
}

function judgeProvenance(resource: JsonObject, report: Report): void {
  const links = objectsAt(resource, 'provenance');
  const should = (expected: string): void =>
    report(
      'project.consumer.provenance',
      'SHOULD',
      expected,
      shown({ resource_id: resource['resource_id'], provenance: resource['provenance'] ?? 'absent' }),
    );
  if (links.length === 0) should('at least one link of provenance');
  for (const missing of missingLinks(resource, links)) should(missing);
  for (const link of links) {
    const target = ['event_id', 'job_id', 'run_id', 'artifact', 'uri', 'path'].some(
      (name) => (textAt(link, name) ?? '') !== '',
    );
    if ((textAt(link, 'rel') ?? '') === '' || (textAt(link, 'kind') ?? '') === '' || !target)
      should('rel, kind and a target on each link');
    const job = textAt(link, 'job_id');
    if (job !== undefined && textAt(resource, 'job_id') !== undefined && job !== resource['job_id']) {
      should('links that name the job of their resource');
    }
    const event = textAt(link, 'event_id');
    const last = textAt(resource, 'last_event_id');
    if (textAt(link, 'rel') === 'source-event' && event !== undefined && last !== undefined && event !== last) {
      should("source-event names the resource's last_event_id");
    }
  }
}

/** What each link is to, in the order in which they stand. */
const kindOfLink: Readonly<Record<string, string>> = {
  'source-event': 'daemon-ledger-event',
  'source-job': 'daemon-job',
  'source-run': 'daemon-run',
  artifact: 'artifact',
};

/** A resource says where all of it comes from: its event, its job, its run, its artifacts. */
function missingLinks(resource: JsonObject, links: readonly JsonObject[]): string[] {
  if (links.length === 0) return [];
  const has = (rel: string, name: string, value: unknown): boolean =>
    links.some((link) => link['rel'] === rel && link[name] === value);
  const wanted = [
    ['source-event', 'event_id', resource['last_event_id']],
    ['source-job', 'job_id', resource['job_id']],
    ['source-run', 'run_id', resource['run_id']],
  ] as const;
  const missing = wanted.filter(([rel, name, value]) => value !== undefined && !has(rel, name, value));
  const artifacts = Object.entries(isObject(resource['artifacts']) ? resource['artifacts'] : {}).filter(
    ([artifact, path]) =>
      !links.some(
        (link) => link['rel'] === 'artifact' && link['artifact'] === artifact && (link['path'] ?? link['uri']) === path,
      ),
  );
  const known = links.filter((link) => String(link['rel']) in kindOfLink);
  const ranks = known.map((link) => Object.keys(kindOfLink).indexOf(String(link['rel'])));
  const texts = new Set(links.map((link) => canonical(link)));
  return [
    ...missing.map(([rel, name, value]) => `a link ${rel} with ${name} ${shown(value)}`),
    ...artifacts.map(([artifact, path]) => `a link to the artifact ${artifact}, ${shown(path)}`),
    ...known
      .filter((link) => link['kind'] !== kindOfLink[String(link['rel'])])
      .map((link) => `kind ${kindOfLink[String(link['rel'])]} of a link ${shown(link['rel'])}`),
    ...(ranks.some((rank, index) => rank < (ranks[index - 1] ?? 0))
      ? [`links in the order ${Object.keys(kindOfLink).join(', ')}`]
      : []),
    ...(texts.size < links.length ? ['no link twice'] : []),
  ];
}

/** Absolute paths and file URLs would be a handle on the storage. */
export function isHandle(text: string): boolean {
  return /^(\/|[A-Za-z]:[\\/]|\\\\|~\/|file:)/.test(text);
}

function judgeHandles(resource: JsonObject, report: Report): void {
  for (const link of objectsAt(resource, 'provenance')) {
    for (const name of ['uri', 'path']) {
      const value = textAt(link, name);
      if (value !== undefined && isHandle(value)) {
        report(
          'project.consumer.no-storage-handle',
          'SHOULD',
          'no absolute path and no file URL in a link',
          shown(link),
        );
      }
    }
  }
}

/** @param fold of the events up to the head that the snapshot names */
export function judgeSnapshot(snapshot: unknown, fold: Fold, moment: Moment, report: Report): void {
  judgeGenerated(snapshot, fold, moment, report);
  const all = objectsAt(snapshot, 'resources', 'jobs');
  const types = typesOf(fold, all);
  for (const [name, , bucket] of consumerLists) {
    const list = objectsAt(snapshot, 'resources', name);
    const check = name === 'jobs' ? 'project.consumer.equals-status' : 'project.consumer.kinds';
    judgeSet(
      fold,
      list,
      `resources.${name}`,
      (expected, observed) => report(check, 'MUST', expected, observed),
      bucketOf(bucket, fold, types),
    );
    for (const resource of list) {
      const job = knownJob(fold, textAt(resource, 'job_id'));
      if (job === undefined) continue;
      judgeView(job, resource, moment, 'SHOULD', (member, expected, observed, severity = 'MUST') => {
        const where =
          severity === 'SHOULD' && member === 'status'
            ? 'project.consumer.live-status'
            : 'project.consumer.equals-status';
        report(
          where,
          severity,
          `resource ${shown(resource['resource_id'])} of ${name}: ${member} ${shown(expected)}`,
          `${member} ${shown(observed ?? 'is absent')}`,
        );
      });
    }
  }
}

/** What the consumer's health says of the snapshot. @param fold of the events up to the head that it names */
export function judgeConsumerHealth(health: unknown, fold: Fold, moment: Moment, report: Report): void {
  const types = typesOf(fold, []);
  const isKnown = [...fold.jobs.keys()].every((id) => types(id) !== undefined);
  const isSound = fold.acceptedTwice.size === 0;
  for (const [name, , bucket] of consumerLists) {
    const count = numberAt(health, 'resource_counts', name);
    const wanted = bucketOf(bucket, fold, types).length;
    if (!isSound || !(isKnown || name === 'jobs') || count === undefined || count === wanted) continue;
    const expected = `resource_counts.${name} ${wanted}, as the events say`;
    report('project.consumer.lists-equal-snapshot', 'MUST', expected, shown(count));
  }
  judgeGenerated(health, fold, moment, report);
}

function judgeGenerated(view: unknown, fold: Fold, moment: Moment, report: Report): void {
  const value = at(view, 'generated_at');
  const problem = momentProblem(value, fold, moment);
  if (problem !== undefined)
    report('project.consumer.snapshot-identity', 'SHOULD', `generated_at is ${problem}`, shown(value));
}

/** Every event that a link names is in the history. */
export function judgeLinks(snapshot: unknown, known: ReadonlySet<string>, report: Report): void {
  for (const [name] of consumerLists) {
    for (const resource of objectsAt(snapshot, 'resources', name)) {
      for (const link of objectsAt(resource, 'provenance')) {
        const event = textAt(link, 'event_id');
        if (event !== undefined && !known.has(event)) {
          report('project.consumer.provenance', 'SHOULD', 'an event_id that /v1/events has', shown(link));
        }
      }
    }
  }
}

/** Holds the consumer's resources against the fold of the events up to the head that the snapshot names. */
import type { Report } from '../findings.js';
import type { Fold } from '../fold.js';
import { type JsonObject, objectsAt, shown, textAt } from '../json.js';
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
  const ids = new Set<string>();
  for (const resource of list) {
    const id = textAt(resource, 'resource_id') ?? '';
    if (textAt(resource, 'resource_kind') !== kind) must(`resource_kind ${kind}, that of its list`, resource);
    if (id === '' || ids.has(id)) must('a resource_id that is unique in its list', resource);
    ids.add(id);
    judgeProvenance(resource, report);
    judgeHandles(resource, report);
  }
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
      const job = fold.jobs.get(textAt(resource, 'job_id') ?? '');
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

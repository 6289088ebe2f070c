/**
 * What the events themselves tell of a job, for whoever reads the history without the views. Nothing of it is owed but
 * the types of the events: what is missing or of another kind is a warning.
 */
import type { Report } from '../findings.js';
import { at, instant, isObject, type JsonObject, shown } from '../json.js';

interface Member {
  readonly name: string;
  readonly kind: Kind;
  readonly optional?: true;
}

interface Kind {
  readonly words: string;
  readonly is: (value: unknown) => boolean;
}

const kind = (words: string, is: (value: unknown) => boolean): Kind => ({ words, is });
const isText = (value: unknown): boolean => typeof value === 'string' && value !== '';
const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every(isText);
const isMapOf =
  (is: (value: unknown) => boolean) =>
  (value: unknown): boolean =>
    isObject(value) && Object.values(value).every(is);

const text = kind('a text', isText);
const texts = kind('a list of texts', isTexts);
const ordinal = kind('a whole number from 1 on', (value) => Number.isSafeInteger(value) && (value as number) >= 1);
const time = kind('a time as of RFC 3339', (value) => instant(value) !== undefined);
const anObject = kind('an object', isObject);
const paths = kind(
  'a text for each name',
  isMapOf((value) => typeof value === 'string'),
);
const references = kind('an object for each name', isMapOf(isObject));
const failure = kind(
  'an object with code and message, both texts, and retryable, if at all, a boolean',
  (value) =>
    isText(at(value, 'code')) &&
    typeof at(value, 'message') === 'string' &&
    ['boolean', 'undefined'].includes(typeof at(value, 'retryable')),
);
const word = (of: string): Kind => kind(`\`${of}\``, (value) => value === of);

const needed = (name: string, of: Kind): Member => ({ name, kind: of });
const optional = (name: string, of: Kind): Member => ({ name, kind: of, optional: true });
const lease = [needed('claim_token', text), needed('lease_epoch', ordinal)];
const artifacts = [optional('artifacts', paths), optional('artifact_refs', references)];

interface Rule {
  /** Which check it is a matter of. */
  readonly check: string;
  readonly members: readonly Member[];
}

const rules: Readonly<Record<string, Rule>> = {
  'job.accepted': {
    check: 'enqueue.submit.event-correlates',
    members: [
      needed('job_type', text),
      needed('job_payload', anObject),
      needed('max_attempts', ordinal),
      needed('projection_targets', texts),
      optional('idempotency_key', text),
    ],
  },
  'job.claimed': {
    check: 'execute.claim.lease-fields',
    members: [...lease, needed('lease_expires_at', time), needed('attempt', ordinal)],
  },
  'job.heartbeat': {
    check: 'execute.heartbeat.extends',
    members: [...lease, needed('lease_expires_at', time), ...artifacts],
  },
  'job.lease_expired': { check: 'execute.lease.reclaim', members: lease },
  'job.completed': {
    check: 'execute.complete',
    members: [...lease, needed('result_status', word('succeeded')), ...artifacts],
  },
  'job.failed': {
    check: 'execute.fail',
    members: [
      optional('claim_token', text),
      optional('lease_epoch', ordinal),
      needed('failure', failure),
      ...artifacts,
    ],
  },
  'job.cancelled': {
    check: 'execute.cancel.queued',
    members: [needed('result_status', word('cancelled')), needed('reason', text)],
  },
};

/** One finding for each member of each type: the next event would tell the same. */
export function judgePayloads(events: readonly JsonObject[], report: Report): void {
  const told = new Set<string>();
  for (const event of events) {
    const type = String(event['event_type']);
    const rule = rules[type];
    if (rule === undefined) continue;
    for (const { name, kind, optional } of rule.members) {
      const value = at(event, 'payload', name);
      const isMissing = value === undefined || value === null;
      if ((isMissing && optional === true) || kind.is(value) || told.has(`${type} ${name}`)) continue;
      told.add(`${type} ${name}`);
      const where = `payload.${name} of each ${type}`;
      report(rule.check, 'SHOULD', `${where}: ${kind.words}`, `${shown(value ?? 'absent')} in ${shown(event)}`);
    }
  }
}

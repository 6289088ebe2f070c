/** Which checks a member is a matter of, and which ones bring about what it says. The first that fits counts. */

interface Rule {
  readonly route: RegExp;
  readonly path: RegExp;
  readonly right: readonly string[];
}

const rule = (route: RegExp, path: RegExp, ...right: readonly string[]): Rule => ({ route, path, right });

const READY = /^GET \/v1\/ready$/;
const STATUS = /^GET \/v1\/status$/;
const EVENTS = /^GET \/v1\/events$/;
const SUBMIT = /^POST \/v1\/jobs$/;
const CANCEL = /^POST \/v1\/jobs\/(?:cancel|\{id\}\/cancel)$/;

/** What contradicts itself in one answer is told by the rules of honesty. */
const HONEST = ['observe.ready.self-consistent', 'observe.events.count-matches-lag'];

const rules: readonly Rule[] = [
  rule(/\/v1\/health$/, /^(?:status|daemon|read_only)$/, 'observe.health.ok', 'project.consumer.*'),
  rule(/^GET \/v1\/health$/, /./, 'observe.health.*'),
  rule(READY, /event_count/, 'observe.events.count-matches-lag', 'observe.status.agrees-with-ready'),
  rule(READY, /lag/, ...HONEST, 'observe.status.*'),
  rule(READY, /./, 'observe.ready.*', 'observe.status.agrees-with-ready', 'observe.status.head-equals-ledger-head'),
  rule(STATUS, /^(?:ready|projection_lag)/, 'observe.status.*', 'observe.ready.*', ...HONEST),
  rule(STATUS, /^queue\.last_event_id/, 'observe.status.head-equals-ledger-head'),
  rule(
    STATUS,
    /^queue\.jobs$/,
    'observe.events.submission-order',
    'enqueue.submit.in-status',
    'execute.state.replay-oracle',
  ),
  rule(
    STATUS,
    /lease_|claim_token/,
    'execute.state.replay-oracle',
    'execute.claim.lease-fields',
    'execute.heartbeat.extends',
  ),
  rule(STATUS, /^queue\..*\.payload/, 'enqueue.submit.payload-roundtrip', 'execute.state.replay-oracle'),
  rule(STATUS, /^queue/, 'execute.state.replay-oracle', 'enqueue.submit.in-status', 'execute.complete', 'execute.fail'),
  rule(STATUS, /manifests/, 'observe.status.manifests', 'observe.ready.self-consistent'),
  rule(STATUS, /source\.last_event_id|^projections\.last_event_id/, 'observe.status.head-equals-ledger-head'),
  rule(
    STATUS,
    /openclaw\.(?:snapshot_id|source|generated_at)/,
    'project.consumer.snapshot-identity',
    'observe.status.*',
  ),
  rule(STATUS, /degraded_reasons|openclaw\.status/, 'observe.ready.self-consistent'),
  rule(STATUS, /^projections\.(?:rebuilt_at|source_ledger|schema_version)/, 'observe.status.manifests'),
  rule(STATUS, /^projections/, 'project.rebuild.oracle'),
  rule(EVENTS, /^last_event_id/, 'observe.status.head-equals-ledger-head', 'observe.events.*'),
  rule(EVENTS, /\[claimed\]|\[heartbeat\]|\[completed\]|\[failed\]/, 'execute.*'),
  rule(EVENTS, /\[accepted\]/, 'enqueue.submit.event-correlates', 'execute.state.replay-oracle'),
  rule(EVENTS, /\[cancelled\]/, 'execute.cancel.*'),
  rule(EVENTS, /\[[a-z]*\]\.(?:event_type|job_id|request_id)/, 'enqueue.submit.*', 'observe.events.*', 'execute.*'),
  rule(EVENTS, /occurred_at/, 'observe.events.envelope', 'execute.state.replay-oracle'),
  rule(EVENTS, /./, 'observe.events.*', 'observe.status.head-equals-ledger-head', 'enqueue.submit.event-correlates'),
  rule(SUBMIT, /last_event_id|lag/, 'enqueue.submit.event-correlates', 'enqueue.submit.accepted', ...HONEST),
  rule(SUBMIT, /projection_status|reasons/, 'enqueue.submit.*', 'observe.ready.self-consistent'),
  rule(SUBMIT, /./, 'enqueue.submit.*', 'enqueue.idem.*'),
  rule(CANCEL, /lag|projection_status|reasons/, 'execute.cancel.*', 'enqueue.submit.event-correlates', ...HONEST),
  rule(CANCEL, /./, 'execute.cancel.*', 'execute.state.replay-oracle'),
  rule(/triggers/, /./, 'project.trigger.*'),
  rule(/./, /./, 'project.consumer.*'),
];

export function rightFor(route: string, path: string): readonly string[] {
  return rules.find((each) => each.route.test(route) && each.path.test(path))?.right ?? [];
}

/** What any shape is a matter of, beside the subject itself. */
export const shapeChecks = ['observe.http.schema-all'];
export const listChecks = ['observe.status.empty-arrays', 'project.consumer.empty'];

const WORK = ['execute.claim.lease-fields', 'execute.complete', 'execute.fail'];
const HEADS = ['observe.ready.self-consistent', 'observe.status.agrees-with-ready', 'observe.events.count-matches-lag'];
const QUEUE = ['observe.events.submission-order', 'enqueue.submit.in-status', 'enqueue.submit.payload-roundtrip'];
const HISTORY = [
  'observe.events.envelope',
  'observe.events.append-only',
  'observe.events.cursor-since',
  'observe.events.limit',
  'observe.status.head-equals-ledger-head',
  'enqueue.submit.event-correlates',
  'execute.cancel.queued',
  'execute.cancel.correlates',
];
const LEASES = ['execute.heartbeat.extends', ...WORK];

/** Checks that bring about what is seen from a single answer of these routes. */
export function glanceFor(route: string): readonly string[] {
  if (/^GET \/v1\/health$/.test(route)) return ['observe.health.ok', 'observe.http.schema-all'];
  if (READY.test(route)) return ['observe.ready.shape', 'observe.http.schema-all'];
  if (STATUS.test(route) || EVENTS.test(route)) return ['observe.http.schema-all', ...WORK];
  if (SUBMIT.test(route)) return ['enqueue.submit.accepted'];
  if (CANCEL.test(route)) return ['execute.cancel.queued', 'execute.cancel.path-form', 'execute.cancel.finished'];
  if (/triggers/.test(route)) return ['project.trigger.allowlisted', 'project.trigger.same-queue'];
  return ['project.consumer.shapes', 'project.consumer.kinds', ...WORK];
}

/** Checks that ask these routes for everything that they say. */
export function probeFor(route: string): readonly string[] {
  if (/^GET \/v1\/health$/.test(route)) return ['observe.health.*', 'observe.http.schema-all'];
  if (READY.test(route)) return ['observe.ready.shape', ...HEADS];
  if (STATUS.test(route))
    return [
      ...HEADS,
      ...LEASES,
      'observe.status.*',
      'execute.cancel.correlates',
      'project.consumer.snapshot-identity',
      ...QUEUE,
    ];
  if (EVENTS.test(route)) return [...LEASES, ...HISTORY];
  if (SUBMIT.test(route)) return ['enqueue.submit.*', 'enqueue.idem.key', 'enqueue.idem.job-id'];
  if (CANCEL.test(route)) return ['execute.cancel.*'];
  if (/triggers/.test(route)) return ['project.trigger.*'];
  return ['project.consumer.*', ...WORK];
}

/** Checks that see a job from its submit to its end, in the events and in the views. */
export const tellingChecks = [
  'observe.events.*',
  'observe.status.*',
  'enqueue.submit.append-before-ack',
  'enqueue.submit.in-status',
  'enqueue.submit.event-correlates',
  'enqueue.idem.key',
  'execute.cancel.queued',
  'execute.cancel.repeat',
  'execute.state.replay-oracle',
  ...LEASES,
];

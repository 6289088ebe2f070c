/** What an answer says of its own trustworthiness must not contradict itself. */
import type { Report } from '../findings.js';
import { at, isObject, type JsonObject, listAt, numberAt, shown, textAt } from '../json.js';

const check = 'observe.ready.self-consistent';

/** @param schema the name of the answer's shape */
export function judgeHonesty(schema: string, body: unknown, report: Report): void {
  if (!isObject(body)) return;
  const lag = at(body, 'projection_lag');
  if (isObject(lag)) judgeLag(body, lag, report);
  if (schema === 'Ready') judgeReady(body, report);
  if (schema === 'Status') judgeStatus(body, report);
  if (schema === 'Submit' || schema === 'Cancel' || schema === 'Ready') {
    judgeReasons(body, textAt(body, 'projection_status'), 'projection_status', report);
  }
  if (schema === 'ConsumerHealth') judgeConsumer(body, report);
}

function isDegraded(lag: unknown): boolean {
  return at(lag, 'degraded') === true || (numberAt(lag, 'corrupt_record_count') ?? 0) > 0;
}

function judgeLag(body: JsonObject, lag: JsonObject, report: Report): void {
  const told = (expected: string): void =>
    report(check, 'MUST', expected, shown({ ...summary(body), projection_lag: lag }));
  if ((numberAt(lag, 'corrupt_record_count') ?? 0) > 0 && lag['degraded'] === false) {
    told('`degraded` is true where records are corrupt');
  }
  const empty = numberAt(lag, 'event_count') === 0;
  if (empty !== (textAt(lag, 'last_event_id') === undefined) && numberAt(lag, 'event_count') !== undefined) {
    report(
      'observe.events.count-matches-lag',
      'MUST',
      '`last_event_id` is there exactly when `event_count` is over 0',
      shown(lag),
    );
  }
  const status = textAt(body, 'projection_status');
  if (isDegraded(lag) && status !== undefined && status !== 'degraded') {
    told('`projection_status` is `degraded` while the ledger is');
  }
  if (typeof body['ready'] === 'boolean' && typeof lag['degraded'] === 'boolean' && body['ready'] === lag['degraded']) {
    told('`ready` is the opposite of `projection_lag.degraded`');
  }
}

function summary(body: JsonObject): JsonObject {
  const { ready, projection_status, ledger_replay_status, degraded_reasons } = body;
  return { ready, projection_status, ledger_replay_status, degraded_reasons };
}

function judgeReady(body: JsonObject, report: Report): void {
  const told = (expected: string): void =>
    report(check, 'MUST', expected, shown({ ...summary(body), projection_lag: body['projection_lag'] }));
  const corrupt = numberAt(body, 'projection_lag', 'corrupt_record_count') ?? 0;
  if (corrupt > 0 && body['ledger_replay_status'] !== 'corrupt') {
    told('`ledger_replay_status` is `corrupt` where records are');
  }
  if (body['ledger_replay_status'] === 'corrupt' && body['ready'] !== false) {
    told('not `ready` while the replay is `corrupt`');
  }
  if (isDegraded(body['projection_lag']) && listAt(body, 'degraded_reasons').length === 0) {
    told('at least one reason while degraded');
  }
}

/** No reason stands beside `current`, and `degraded` never stands alone. */
function judgeReasons(body: JsonObject, status: string | undefined, name: string, report: Report): void {
  const reasons = listAt(body, 'degraded_reasons');
  if (reasons.length > 0 && status === 'current') {
    report(check, 'MUST', `\`${name}\` is not \`current\` beside degraded_reasons`, shown(summary(body)));
  }
  if (reasons.length === 0 && status === 'degraded') {
    report(check, 'MUST', `at least one of degraded_reasons beside \`${name}: degraded\``, shown(summary(body)));
  }
}

function judgeStatus(body: JsonObject, report: Report): void {
  const degraded = isDegraded(at(body, 'projection_lag'));
  const projections = at(body, 'projections');
  const manifests = Object.values(
    isObject(at(projections, 'manifests')) ? (at(projections, 'manifests') as object) : {},
  );
  const said = [
    ...manifests.map((each) => [`manifest ${textAt(each, 'projection')}`, textAt(each, 'status')]),
    ['projections.openclaw', textAt(projections, 'openclaw', 'status')],
  ] as const;
  for (const [name, status] of said) {
    if (degraded && status !== undefined && status !== 'degraded') {
      report(check, 'MUST', 'every manifest and projection is `degraded` while the ledger is', `${name}: ${status}`);
    }
  }
  for (const each of manifests) {
    if (textAt(each, 'status') === 'current' && listAt(each, 'degraded_reasons').length > 0) {
      report(check, 'MUST', 'no reason beside a manifest that is `current`', shown(each));
    }
  }
  const [openclaw, manifest] = [
    textAt(projections, 'openclaw', 'status'),
    textAt(projections, 'manifests', 'openclaw-snapshot', 'status'),
  ];
  if (openclaw !== undefined && manifest !== undefined && openclaw !== manifest) {
    report(check, 'SHOULD', `projections.openclaw.status is that of its manifest, ${manifest}`, openclaw);
  }
  const current = said.length > 1 && said.every(([, status]) => status === 'current');
  if (current && listAt(projections, 'degraded_reasons').length > 0) {
    report(
      check,
      'MUST',
      'no degraded_reasons of projections that are all `current`',
      shown(listAt(projections, 'degraded_reasons')),
    );
  }
}

function judgeConsumer(body: JsonObject, report: Report): void {
  const status = textAt(body, 'snapshot_status');
  judgeReasons(body, status, 'snapshot_status', (_check, severity, expected, observed) =>
    report('project.consumer.degraded', severity, expected, observed),
  );
  if (body['ready'] === true && status === 'degraded') {
    report('project.consumer.degraded', 'MUST', 'not `ready` beside `snapshot_status: degraded`', shown(body));
  }
  if (body['ready'] === false && status === 'current') {
    report('project.consumer.degraded', 'MUST', '`ready` beside `snapshot_status: current`', shown(body));
  }
}

/** What the consumer's views are held against: each other, and what `/v1/status` says of the same state. */
import type { Context } from '../context.js';
import { terminal } from '../fold.js';
import { at, type JsonObject, same, sameOrBlank, shown, textAt } from '../json.js';
import type { Exchange } from '../target/exchange.js';

/** Once set they stay; whoever looks at both places sees the same. */
const SHARED_MEMBERS = ['status', 'failure', 'artifacts', 'request_ids', 'last_event_id'];

export function mustBe(context: Context, answer: Exchange, path: readonly string[], value: unknown): void {
  const seen = at(answer.json, ...path);
  const expected = `on an empty data folder: ${path.join('.')} of ${answer.path} is ${JSON.stringify(value)}`;
  context.must(same(seen, value), expected, shown(seen === undefined ? 'absent' : seen), answer);
}

export function compare(context: Context, job: JsonObject, resource: JsonObject, answer: Exchange): void {
  const isFirm = terminal.includes(textAt(job, 'status') ?? '') || job['status'] === 'queued';
  for (const name of SHARED_MEMBERS) {
    const expected = `resource of job ${shown(job['job_id'])}: ${name} ${shown(job[name] ?? 'absent')}, as in /v1/status`;
    const holds = sameOrBlank(job[name], resource[name]) || (name === 'failure' && sameFailure(job, resource));
    if (isFirm) context.must(holds, expected, shown(resource[name] ?? 'absent'), answer);
    else context.should(holds, expected, shown(resource[name] ?? 'absent'), answer);
  }
}

/** The consumer always gets a message, which elsewhere may be left out when empty. */
function sameFailure(job: JsonObject, resource: JsonObject): boolean {
  return ['code', 'message', 'retryable'].every((name) =>
    sameOrBlank(at(job, 'failure', name), at(resource, 'failure', name)),
  );
}

/** The snapshot, the consumer's health and the read model behind them say the same of one state. */
export function mustBeOneSnapshot(context: Context, snapshot: Exchange, health: Exchange, status: Exchange): void {
  const model = at(status.json, 'projections', 'openclaw');
  for (const [name, own] of [
    [['snapshot_id'], ['snapshot_id']],
    [
      ['source', 'ledger'],
      ['source', 'ledger'],
    ],
    [
      ['source', 'last_event_id'],
      ['source', 'last_event_id'],
    ],
    [['snapshot_status'], ['status']],
  ] as const) {
    const wanted = at(snapshot.json, ...own);
    const seen = at(health.json, ...name);
    const expected = `${name.join('.')} of the consumer's health is that of the snapshot, ${shown(wanted)}`;
    context.must(same(seen, wanted), expected, seen, health);
    const inModel = at(model, ...own);
    const expectedThere = `projections.openclaw.${own.join('.')} of /v1/status is that of the snapshot, ${shown(wanted)}`;
    context.should(same(inModel, wanted), expectedThere, inModel, status);
  }
  const ready = at(status.json, 'ready');
  context.must(
    at(health.json, 'ready') === ready,
    `\`ready\` of the consumer's health is ${ready}, as in /v1/status`,
    at(health.json, 'ready'),
    health,
  );
  const ledger = at(status.json, 'projections', 'source_ledger');
  context.should(
    at(snapshot.json, 'source', 'ledger') === ledger,
    `source.ledger is source_ledger of /v1/status, ${shown(ledger)}`,
    at(snapshot.json, 'source'),
    snapshot,
  );
}

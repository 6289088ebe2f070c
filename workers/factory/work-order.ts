/**
 * Reads the work order of a factory job: from the payload, or from the JSON file that the payload names; checked, with
 * all its defaults. `spec/work-order.schema.json` has its form.
 */
import { createHash } from 'node:crypto';
import { canonicalJson, whyNotCanonical } from '../../lib/base/canonical.js';
import { isJsonObject, type JsonObject } from '../../lib/base/json.js';
import type { WorkerJob } from '../../lib/model/worker-protocol.js';
import { failure } from '../failure.js';
import { told } from '../kit/payload.js';
import { readRegularFile, resolveInside } from '../kit/sources.js';
import { factoryLimits } from './limits.js';
import { orderProblems } from './work-order-checks.js';
import type { CarriedOrder, WorkOrder } from './work-order-model.js';

const MEMBER = 'payload.work_order';
const COMMAND_TIMEOUT_SECONDS = 1800;

/** @throws a failure `request_rejected` that names the member of the payload, or of the file */
export async function readWorkOrder(root: string, job: Pick<WorkerJob, 'job_id' | 'payload'>): Promise<WorkOrder> {
  const given = job.payload['work_order'];
  if (given === undefined || given === null || (typeof given === 'string' && given.trim() === ''))
    throw failure('request_rejected', `${MEMBER} is missing: give the order, or the path of the file that holds it`);
  if (typeof given !== 'string' && !isJsonObject(given))
    throw failure('request_rejected', `${MEMBER} must be an object, or the path of a file`);
  const written = typeof given === 'string' ? await readJsonFile(root, given, MEMBER) : given;
  const member = typeof given === 'string' ? `${MEMBER}: ${told(given)}` : MEMBER;
  if (!isJsonObject(written)) throw failure('request_rejected', `${member} must hold a JSON object`);
  const order = withoutAbsent(written);
  refuse(orderProblems(order, MEMBER), typeof given === 'string' ? `${told(given)}: ` : '');
  const whole = withDefaults(order, job.job_id);
  const carriedBytes = Buffer.byteLength(canonicalJson(carried(whole)));
  if (carriedBytes > factoryLimits.carriedBytes)
    throw failure(
      'request_rejected',
      `${MEMBER} is ${carriedBytes} bytes long without its open requests; at most ${factoryLimits.carriedBytes} pass`,
    );
  return whole;
}

/** @throws a failure `request_rejected` that names `member` */
export async function readJsonFile(root: string, path: string, member: string): Promise<unknown> {
  const source = await resolveInside(root, path, member);
  const read = await readRegularFile(root, source.absolute, factoryLimits.orderBytes);
  if ('reason' in read) throw failure('request_rejected', `${member}: ${told(path)}: ${read.reason}`);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(read.bytes));
  } catch (error) {
    const why = error instanceof TypeError ? 'a text in UTF-8' : `JSON: ${(error as Error).message}`;
    throw failure('request_rejected', `${member}: ${told(path)} is not ${why}`);
  }
  const why = whyNotCanonical(value, 'it');
  if (why !== undefined) throw failure('request_rejected', `${member}: ${told(path)}: ${why}`);
  return value;
}

export function refuse(problems: readonly string[], before = ''): void {
  if (problems.length === 0) return;
  const shown = problems.slice(0, factoryLimits.toldProblems);
  const more = problems.length > shown.length ? [`and ${problems.length - shown.length} more`] : [];
  throw failure('request_rejected', `${before}${[...shown, ...more].join('; ')}`);
}

/** `null` counts as absent, as everywhere in a payload. */
function withoutAbsent(order: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(order).filter(([, value]) => value !== null));
}

function withDefaults(order: JsonObject, jobId: string): WorkOrder {
  const { schema_version: _, ...given } = order;
  const written = given as unknown as Partial<WorkOrder>;
  const { base_sha } = written;
  return {
    ...written,
    id: written.id ?? jobId,
    base_ref: written.base_ref ?? 'HEAD',
    ...(base_sha === undefined ? {} : { base_sha: base_sha.toLowerCase() }),
    paths: [...new Set(written.paths ?? [])],
    allow_dirty: written.allow_dirty ?? false,
    window: { ...written.window, max_commits_behind: written.window?.max_commits_behind ?? 0 },
    open_requests: written.open_requests ?? [],
    commands: written.commands ?? [],
    validation_commands: written.validation_commands ?? [],
    command_timeout_seconds: written.command_timeout_seconds ?? COMMAND_TIMEOUT_SECONDS,
  };
}

export function carried(order: WorkOrder): CarriedOrder {
  const { allow_dirty: _, window: __, open_requests: ___, ci_baseline: ____, ...kept } = order;
  return kept;
}

/** Of the whole order: whether two are the same one. */
export function orderSha256(order: WorkOrder): string {
  return createHash('sha256').update(canonicalJson(order)).digest('hex');
}

/**
 * The decision about a work order, made once a job: `factory.admission_decided` in the ledger is the decision, whatever
 * the repository looks like when a later attempt comes by. The event is recorded before anything follows from it.
 */
import { canonicalJson } from '../../lib/base/canonical.js';
import type { JsonObject } from '../../lib/base/json.js';
import { safeLine } from '../../lib/base/text.js';
import type { WorkerJob } from '../../lib/model/worker-protocol.js';
import type { BuiltinContext } from '../builtin-context.js';
import { textMember, told } from '../kit/payload.js';
import { type CommitId, openRepository } from '../kit/repository.js';
import { checkBase, checkCi, checkTree, checkWindow } from './admission-checks.js';
import { checkOverlap } from './admission-overlap.js';
import { sweepPilots } from './pilot-worktree.js';
import { carried, orderSha256, readWorkOrder } from './work-order.js';
import type { Admission, CarriedOrder, WorkOrder } from './work-order-model.js';

const DECIDED = 'factory.admission_decided';

export interface Decided extends Admission {
  readonly event_id: string;
}

/**
 * @param refuseUnfit throws for an order that the job could do nothing with, before anything is decided about it
 * @throws a failure `request_rejected` that names the member of the payload which can't be judged
 */
export async function admit(
  job: WorkerJob,
  context: BuiltinContext,
  refuseUnfit: (order: CarriedOrder) => void,
): Promise<Decided> {
  const standing = await context.recordedEvent(DECIDED);
  const admission =
    standing === undefined ? await judged(job, context, refuseUnfit) : (standing as unknown as Admission);
  if (standing !== undefined) refuseUnfit(admission.order);
  const { event_id } = await context.recordEvent(DECIDED, admission as unknown as JsonObject);
  context.log(`${told(admission.order.id)} is ${admission.allowed ? 'admitted' : 'denied'}`);
  for (const { check, verdict, found } of admission.checks) context.log(`  ${check}: ${verdict}, ${safeLine(found)}`);
  return { ...admission, event_id };
}

async function judged(
  job: WorkerJob,
  context: BuiltinContext,
  refuseUnfit: (order: CarriedOrder) => void,
): Promise<Admission> {
  const run_id = textMember(job.payload, 'run_id') ?? job.job_id;
  const order = await readWorkOrder(context.root, job);
  refuseUnfit(carried(order));
  await sweepPilots(await openRepository(context), context);
  const base = await checkBase(context, order);
  const all = [
    base,
    await checkTree(context, order),
    checkWindow(order, Date.now()),
    await checkOverlap(context, order, base.base, await context.openOrders()),
    await checkCi(context.root, order, base.base),
  ];
  const blockers = all.flatMap((each) => each.blockers);
  return {
    schema_version: 1,
    run_id,
    allowed: blockers.length === 0,
    checks: all.map(({ check }) => check),
    blockers,
    order: withBase(order, base.base),
    order_sha256: orderSha256(order),
  };
}

function withBase(order: WorkOrder, base: CommitId | undefined): CarriedOrder {
  return base === undefined ? carried(order) : { ...carried(order), base_sha: base };
}

export interface HandedOn {
  readonly job_id: string;
  readonly idempotency_key: string;
}

/** What a decision and what followed from it leave: the order as it was judged, the decision, and what stood against it. */
export async function leaveAdmission(
  { order, event_id, ...decision }: Decided,
  handoff: HandedOn | undefined,
  context: BuiltinContext,
): Promise<void> {
  const { run_id } = decision;
  const admission = {
    ...decision,
    order_id: order.id,
    ...(order.base_sha === undefined ? {} : { base_sha: order.base_sha }),
    event_id,
    ...(handoff === undefined ? {} : { handoff }),
  };
  await leaveJson(context, 'work_order.json', { schema_version: 1, ...order });
  await leaveJson(context, 'blockers.json', { schema_version: 1, run_id, blockers: decision.blockers });
  await leaveJson(context, 'admission.json', admission);
}

export async function leaveJson(context: BuiltinContext, name: string, value: object): Promise<void> {
  // In one order of members, wherever they came from: what was submitted just now, or read back from the ledger.
  const sorted: unknown = JSON.parse(canonicalJson(value));
  await context.artifact(name, `${JSON.stringify(sorted, null, 2)}\n`);
}

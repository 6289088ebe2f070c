/** A server whose ledger was damaged while it was stopped. */
import type { Context } from '../context.js';
import type { JsonObject } from '../json.js';
import type { Damage } from '../target/damage.js';
import type { OwnServer } from '../target/own-server.js';
import { someJobs } from './steady.js';

const JOBS = 6;

export interface Damaged {
  readonly server: OwnServer;
  /** The history before the damage. */
  readonly before: readonly JsonObject[];
  /** Jobs in the order of submission. */
  readonly jobIds: readonly string[];
}

/** Started again over the damage. Nobody works there: every job is idle or has ended. @throws NoStart NotTested */
export async function damaged(context: Context, kind: Damage): Promise<Damaged> {
  const server = await context.server();
  const jobIds = await someJobs(context, JOBS, server);
  const stay = context.profile.workload?.idle === undefined ? 0 : JOBS / 2;
  for (const jobId of jobIds.slice(stay)) await server.cancel(jobId);
  await server.quiet();
  const before = await server.events();
  await server.kill();
  await server.damage(kind);
  await server.start();
  return { server, before, jobIds };
}

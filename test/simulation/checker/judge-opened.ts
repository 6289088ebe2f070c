/** What a daemon must know once it has opened: every event that counts, all that follows from them, and no damage. */
import type { JobType } from '../../../lib/model/event.js';
import type { SimulatedProcess } from '../process.js';
import type { World } from '../world.js';
import type { Accounts, JobAccount } from './jobs.js';
import type { Line } from './segment-text.js';
import { Violation } from './witness.js';

/** As much of the kernel as is compared. */
interface Told {
  readonly state: {
    readonly lastSeq: number;
    readonly jobCount: number;
    readonly lastEventId: string | undefined;
    job(
      id: string,
    ): { status: string; attempt: number; lease_epoch: number; claim_token: string | undefined } | undefined;
    jobIdForKey(key: string): string | undefined;
    running(): ReadonlySet<string>;
    claimable(jobType: JobType): Iterable<string>;
    claimableTypes(): Iterable<JobType>;
    countOfType(jobType: JobType): number;
    countOfStatus(status: JobAccount['status']): number;
  };
  health(): { damage: readonly object[]; reasons: readonly string[]; writable: boolean };
}
interface Event {
  readonly seq: number;
  readonly event_id: string;
  readonly prev_hash?: string;
}

/** @throws Violation */
export function judgeOpened(world: World, process: SimulatedProcess, kernel: Told): void {
  const when = `${process.name} opened`;
  const audit = world.witness.audit(world.files(), when);
  const { events } = audit.ledger;
  judgeHealth(kernel, when);
  const { lastSeq } = kernel.state;
  // Another one may have gone on meanwhile; alone it has to know all of it.
  if (lastSeq > events.length || (lastSeq < events.length && world.living.length === 1))
    throw new Violation(`${when} at ${lastSeq} of ${events.length} events`);
  if (lastSeq === events.length) judgeState(kernel, audit, events, when);
}

/** What is read back is what stands there. */
export function judgeEvents(told: readonly Event[], events: readonly Line[], when: string): void {
  told.forEach((event, at) => {
    const value = events[at]?.value;
    // The hashes vouch for the rest of the line.
    const same =
      value?.['event_id'] === event.event_id && value['seq'] === event.seq && value['prev_hash'] === event.prev_hash;
    if (!same) throw new Violation(`${when} and reads ${JSON.stringify(event)} where ${JSON.stringify(value)} stands`);
  });
}

export function judgeHealth(kernel: Pick<Told, 'health'>, when: string): void {
  const { damage, reasons, writable } = kernel.health();
  if (damage.length > 0) throw new Violation(`${when} and tells damage that nobody did: ${JSON.stringify(damage)}`);
  if (reasons.length > 0) throw new Violation(`${when} and tells: ${reasons.join('; ')}`);
  if (!writable) throw new Violation(`${when} and does not write`);
}

/** What the views are made from against the checker's own account. */
export function judgeState(
  kernel: Pick<Told, 'state'>,
  accounts: Accounts,
  events: readonly Line[],
  when: string,
): void {
  const { state } = kernel;
  if (state.lastSeq !== events.length) throw new Violation(`${when} at ${state.lastSeq} of ${events.length}`);
  const jobs = [...accounts.jobs.values()];
  if (state.jobCount !== jobs.length) throw new Violation(`${when} with ${state.jobCount} of ${jobs.length} jobs`);
  for (const { id, status, attempt, epoch, token, key } of jobs) {
    const told = state.job(id);
    const same =
      told?.status === status &&
      told.attempt === attempt &&
      told.lease_epoch === epoch &&
      told.claim_token === token &&
      state.running().has(id) === (status === 'running');
    if (!same)
      throw new Violation(
        `${when}: ${id} is ${status}, attempt ${attempt}, but is told as ${told?.status}, ${told?.attempt}`,
      );
    if (key !== undefined && state.jobIdForKey(key) !== id)
      throw new Violation(`${when}: the key ${key} belongs to ${id}, but is told of ${state.jobIdForKey(key)}`);
  }
  judgeWaiting(state, jobs, when);
}

/** Who may be claimed, and how many there are of each kind. */
function judgeWaiting(state: Told['state'], jobs: readonly JobAccount[], when: string): void {
  const expected = jobs.filter(({ status }) => status === 'queued' || status === 'retry_waiting');
  const told = [...state.claimableTypes()].flatMap((jobType) =>
    [...state.claimable(jobType)].map((id) => `${id} of ${jobType}`),
  );
  const wanted = expected.map(({ id, type }) => `${id} of ${type}`);
  if (told.sort().join() !== wanted.sort().join())
    throw new Violation(`${when}: ${wanted.join()} may be claimed, but told is ${told.join()}`);
  for (const status of statuses) {
    const count = jobs.filter((job) => job.status === status).length;
    if (state.countOfStatus(status) !== count)
      throw new Violation(`${when}: ${count} jobs are ${status}, but told are ${state.countOfStatus(status)}`);
  }
  for (const type of new Set(jobs.map((job) => job.type))) {
    const count = jobs.filter((job) => job.type === type).length;
    if (state.countOfType(type as JobType) !== count)
      throw new Violation(`${when}: there are ${count} of ${type}, but told are ${state.countOfType(type as JobType)}`);
  }
}

const statuses = ['queued', 'running', 'retry_waiting', 'completed', 'failed', 'cancelled'] as const;

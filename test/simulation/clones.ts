/**
 * What git carries elsewhere and back, done to copies of the world: a clone opens the committed ledger under a home of its
 * own, works there, and its segments come back to the original, which stood still meanwhile or went on. Whatever the clone
 * writes, tokens and keys of the original in it, no job of the original may change by it, and nothing of a stranger runs.
 */
import { posix } from 'node:path';
import type { Command, Outcome } from '../../lib/model/command.js';
import { allKept, type MemoryDisk } from '../support/memory-disk.js';
import type { JobAccount } from './checker/jobs.js';
import { type Audit, Violation, type Witness } from './checker/witness.js';
import type { Dice } from './dice.js';
import type { Happening } from './faults.js';
import { LEDGER, ledgerFiles, RUN } from './places.js';
import { openOn, type Recovered } from './recovery.js';

/** The home of whoever cloned. */
const ELSEWHERE = '/elsewhere';
const CLONE_JOB = 'job-of-the-clone';
const LATE_JOB = 'job-of-the-original';
const asked = { actor: 'somebody', occurredAt: '2026-01-01T00:00:00.000Z' };

/** @returns what happened; undefined when there was nothing that could be cloned */
export async function cloneAndJudge(world: MemoryDisk, witness: Witness, dice: Dice): Promise<Happening | undefined> {
  const original = world.fork();
  original.losePower(allKept);
  const audit = witness.audit(ledgerFiles(original), 'before the clone');
  if (audit.ledger.events.length === 0) return undefined;
  const clone = original.fork();
  const originalNames = new Set(original.namesIn(LEDGER));
  clone.unplantFolder(RUN);
  await workElsewhere(clone, audit, dice);
  expectUntouched(original, clone, 'a clone worked');
  const happened = await (dice.maybe(0.5) ? returnToStopped : returnToBusy)(original, clone, audit, dice);
  expectUntouched(clone, original, 'a clone came back', originalNames);
  return happened;
}

/** All of it is shown there, none of it is theirs; then they do everything that they can to it. */
async function workElsewhere(clone: MemoryDisk, audit: Audit, dice: Dice): Promise<void> {
  const when = 'cloned, and opened elsewhere';
  const there = await openOn(clone, dice.int(1e9), { state: ELSEWHERE });
  expectHealth(there, when, 0);
  if (there.events.length !== audit.ledger.events.length)
    throw new Violation(`${when}: ${there.events.length} of ${audit.ledger.events.length} events are read`);
  const { state } = there.kernel;
  for (const { id, key, status } of audit.jobs.values()) {
    const told = state.job(id);
    if (told?.foreign !== true || told.status !== status)
      throw new Violation(`${when}: ${id} is ${status} and foreign, but is told as ${told?.status}, ${told?.foreign}`);
    if (key !== undefined && state.jobIdForKey(key) !== undefined)
      throw new Violation(`${when}: the key ${key} is taken for one of theirs`);
  }
  const [claimable] = [...state.claimableTypes()];
  if (claimable !== undefined) throw new Violation(`${when}: a stranger's job of ${claimable} may be claimed`);
  const jobs = [...audit.jobs.values()];
  await must(there, submission(CLONE_JOB, dice.pick(jobs).key), 1, when);
  const open = jobs.filter(({ status }) => !['completed', 'failed', 'cancelled'].includes(status));
  if (open.length > 0) await takeOver(there, dice.pick(open), when);
}

/** They adopt a job, and take it to its end. */
async function takeOver(there: Recovered, job: JobAccount, when: string): Promise<void> {
  await must(there, { kind: 'adopt', ...asked, job_id: job.id }, 1, when);
  if (job.status === 'running') return;
  if (job.attempt >= job.maxAttempts) return;
  await must(there, claim(job.id, 'token-of-the-clone'), 1, when);
  const lease = { job_id: job.id, claim_token: 'token-of-the-clone', lease_epoch: job.epoch + 1 };
  await must(there, { kind: 'complete', ...asked, ...lease, artifacts: undefined, artifact_refs: undefined }, 1, when);
}

/** The original stood still: one line, and it goes on at its end. */
async function returnToStopped(original: MemoryDisk, clone: MemoryDisk, audit: Audit, dice: Dice): Promise<Happening> {
  const when = 'a clone came back';
  bringSegments(clone, original);
  const home = await openOn(original, dice.int(1e9));
  expectHealth(home, when, 0);
  judgeOwnJobs(home, audit, when);
  const theirs = home.kernel.state.job(CLONE_JOB);
  if (theirs?.foreign !== true) throw new Violation(`${when}: its job is told as ${theirs && 'one of ours'}`);
  if (home.events.length <= audit.ledger.events.length) throw new Violation(`${when}: its events are not there`);
  // They are a part of history now: the next start knows them as well, and nothing else.
  await must(home, submission(LATE_JOB, undefined), 1, when);
  const again = await openOn(original, dice.int(1e9), { withoutCheckpoint: dice.maybe(0.5) });
  expectHealth(again, `${when}, opened again`, 0);
  judgeOwnJobs(again, audit, `${when}, opened again`);
  if (again.events.length !== home.events.length + 1)
    throw new Violation(`${when}, opened again: ${again.events.length} of ${home.events.length + 1} events are read`);
  return 'clone came back';
}

/** The original went on as well: two heads. It keeps to its own, and says so. */
async function returnToBusy(original: MemoryDisk, clone: MemoryDisk, audit: Audit, dice: Dice): Promise<Happening> {
  const when = 'a clone came back to an original that had gone on';
  const before = await openOn(original, dice.int(1e9));
  await must(before, submission(LATE_JOB, undefined), 1, when);
  await before.ledger.close();
  bringSegments(clone, original);
  const after = await openOn(original, dice.int(1e9));
  expectHealth(after, when, 1);
  judgeOwnJobs(after, audit, when);
  if (after.kernel.state.job(LATE_JOB)?.foreign !== false) throw new Violation(`${when}: ${LATE_JOB} is lost`);
  if (after.kernel.state.job(CLONE_JOB) !== undefined)
    throw new Violation(`${when}: what stands behind the other head is shown as if it counted`);
  return 'two heads';
}

/** A segment of somebody else's stays as it was, to its last byte: torn ends too, and those without an event. */
function expectUntouched(from: MemoryDisk, to: MemoryDisk, when: string, own: ReadonlySet<string> = new Set()): void {
  const there = ledgerFiles(to);
  for (const [name, content] of ledgerFiles(from)) {
    if (own.has(name) || !content.subarray(0, Math.max(0, content.indexOf(0x0a))).includes('"segment":{')) continue;
    if (!there.get(name)?.equals(content)) throw new Violation(`${when}: ${name} of another home was moved or changed`);
  }
}

/** @param reasons how many have to be told */
function expectHealth({ kernel }: Recovered, when: string, reasons: number): void {
  const health = kernel.health();
  if (health.damage.length > 0) throw new Violation(`${when}: damage is told: ${JSON.stringify(health.damage)}`);
  if (health.reasons.length !== reasons) throw new Violation(`${when}: told is "${health.reasons.join('; ')}"`);
  if (!health.writable) throw new Violation(`${when}: nothing is written`);
}

/** What was ours is as it was, whatever stands in the batches of others. */
function judgeOwnJobs({ kernel }: Recovered, audit: Audit, when: string): void {
  for (const { id, status, attempt, epoch, token, key } of audit.jobs.values()) {
    const told = kernel.state.job(id);
    const same =
      told?.foreign === false &&
      told.status === status &&
      told.attempt === attempt &&
      told.lease_epoch === epoch &&
      told.claim_token === token;
    if (!same) throw new Violation(`${when}: ${id} was ${status}, and is told as ${told?.status}, ${told?.foreign}`);
    if (key !== undefined && kernel.state.jobIdForKey(key) !== id)
      throw new Violation(`${when}: the key ${key} of ${id} leads to ${kernel.state.jobIdForKey(key)}`);
  }
}

function bringSegments(from: MemoryDisk, to: MemoryDisk): void {
  const there = new Set(to.namesIn(LEDGER));
  for (const name of from.namesIn(LEDGER)) {
    const content = from.contentOf(posix.join(LEDGER, name));
    if (!there.has(name) && content !== undefined) to.plant(posix.join(LEDGER, name), content);
  }
}

async function must({ kernel }: Recovered, command: Command, appended: number, when: string): Promise<Outcome> {
  const outcome = await kernel.execute(command).catch((error: unknown) => {
    throw new Violation(`${when}: ${command.kind} is refused: ${String(error)}`);
  });
  if (outcome.appended !== appended)
    throw new Violation(`${when}: ${command.kind} appended ${outcome.appended} events, not ${appended}`);
  return outcome;
}

function submission(jobId: string, key: string | undefined): Command {
  return {
    kind: 'submit',
    ...asked,
    job_type: 'wiki.build',
    request_id: `request of ${jobId}`.replaceAll(' ', '-'),
    job_id: undefined,
    generatedJobId: jobId,
    idempotency_key: key,
    payload: {},
    max_attempts: 2,
  };
}

function claim(jobId: string, token: string): Command {
  return {
    kind: 'claim',
    ...asked,
    job_id: jobId,
    claim_token: token,
    lease_expires_at: '2026-01-01T00:01:00.000Z',
  };
}

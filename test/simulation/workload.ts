/**
 * The people and workers around a daemon: they submit, with keys and again, cancel, claim, beat, complete, fail, come too
 * late, go away before they are answered, and read. Each acknowledgement is held against what is on the disk at that
 * very moment, and kept by the witness.
 */
import { AgentopsdError } from '../../lib/base/errors.js';
import type { Command, Outcome } from '../../lib/model/command.js';
import type { JobType } from '../../lib/model/event.js';
import type { Job } from '../../lib/model/job.js';
import { deed } from './checker/jobs.js';
import { survivingLedgerFiles } from './places.js';
import type { SimulatedProcess } from './process.js';
import type { World } from './world.js';

interface Lease {
  readonly job_id: string;
  readonly claim_token: string;
  readonly lease_epoch: number;
}

const JOB_TYPES: readonly JobType[] = ['openclaw.snapshot', 'wiki.build', 'rpi.run'];
const EXPECTED_REFUSALS = new Set([
  'stale_lease',
  'unknown_job',
  'job_not_claimable',
  'outcome_unknown',
  'writer_stopped',
]);
const LEASE_MS = 30_000;
/** So many jobs in a run at the most: histories stay short. */
const MOST_JOBS = 10;

export class Workload {
  readonly #world: World;
  readonly #jobs: string[] = [];
  readonly #keys: string[] = [];
  /** Leases that workers hold or held: any of them may come back late. */
  readonly #leases: Lease[] = [];
  #count = 0;

  constructor(world: World) {
    this.#world = world;
  }

  /** One thing that somebody does. */
  act(process: SimulatedProcess): void {
    const { dice } = this.#world;
    const action = dice.weighted<() => void>([
      [this.#jobs.length < MOST_JOBS ? 6 : 0.2, () => this.#submit(process)],
      [1, () => this.#submitAgain(process)],
      [0.7, () => this.#cancel(process)],
      [3, () => this.#claim(process)],
      [3, () => this.#underLease(process)],
      [2, () => this.#look(process)],
      [0.3, () => void this.#read(process)],
    ]);
    action();
  }

  /** Nothing fails any more: every job has to come to its end. */
  async finish(process: SimulatedProcess, turn: () => Promise<void>): Promise<void> {
    for (let round = 0; round < 8; round++) {
      const open = [...(process.kernel?.state.jobs() ?? [])].filter((job) => !isOver(job));
      if (open.length === 0) return;
      for (const job of open) {
        if (job.status === 'running') this.#expire(process, leaseOf(job));
        else this.#claimJob(process, job.job_id);
      }
      await turn();
      for (const job of process.kernel?.state.jobs() ?? [])
        if (job.status === 'running') this.#complete(process, leaseOf(job));
      await turn();
    }
    const left = [...(process.kernel?.state.jobs() ?? [])].filter((job) => !isOver(job));
    if (left.length > 0) this.#world.violated(`nothing failed any more, and ${left[0]?.job_id} did not end`);
  }

  #submit(process: SimulatedProcess): void {
    const { dice } = this.#world;
    const count = dice.maybe(0.2) ? 2 + dice.int(2) : 1;
    for (let one = 0; one < count; one++) {
      const key = dice.maybe(0.6) ? `key-${this.#keys.length}` : undefined;
      if (key !== undefined) this.#keys.push(key);
      this.#send(process, key);
      // Somebody asks twice in one breath.
      if (key !== undefined && dice.maybe(0.3)) this.#send(process, key);
    }
  }

  #submitAgain(process: SimulatedProcess): void {
    if (this.#keys.length > 0) this.#send(process, this.#world.dice.pick(this.#keys));
  }

  #send(process: SimulatedProcess, key: string | undefined): void {
    const { dice, plan, witness } = this.#world;
    const jobId = `job-${++this.#count}`;
    this.#jobs.push(jobId);
    const about = key ?? jobId;
    const payload = { about, text: `${about} `.repeat(Math.ceil((plan.payloadBytes * dice.unit()) / 8)) };
    const jobType = JOB_TYPES[about.length % JOB_TYPES.length] ?? 'rpi.run';
    const maxAttempts = 2;
    witness.submits(jobId, { key, jobType, payload, maxAttempts });
    const command: Command = {
      kind: 'submit',
      ...this.#asked('client'),
      job_type: jobType,
      request_id: `request-${this.#count}`,
      job_id: undefined,
      generatedJobId: jobId,
      idempotency_key: key,
      payload,
      max_attempts: maxAttempts,
    };
    const acknowledged = ({ job }: Outcome): void => {
      if (job === undefined) {
        this.#world.violated(`${jobId} was acknowledged without a job`);
        return;
      }
      if (key !== undefined) this.#world.judge(() => witness.answersKey(key, job.job_id));
      if (key === undefined && job.job_id !== jobId) this.#world.violated(`${jobId} was answered with ${job.job_id}`);
      this.#acknowledged(process, deed('job.accepted', job.job_id), `"job.accepted"`, `"job_id":"${job.job_id}"`);
    };
    this.#execute(process, command, acknowledged, deed('job.accepted', jobId));
  }

  #cancel(process: SimulatedProcess): void {
    if (this.#jobs.length === 0) return;
    const jobId = this.#world.dice.pick(this.#jobs);
    this.#world.witness.asks(deed('job.cancelled', jobId));
    const command: Command = {
      kind: 'cancel',
      ...this.#asked('client'),
      job_id: jobId,
      request_id: undefined,
      reason: 'nobody needs it',
    };
    this.#execute(process, command, ({ cancelOutcome, job }) => {
      if (cancelOutcome === 'cancelled')
        this.#acknowledged(process, deed('job.cancelled', jobId), '"job.cancelled"', `"job_id":"${jobId}"`);
      if (job !== undefined && !isOver(job)) this.#world.violated(`${jobId} was cancelled, but is ${job.status}`);
    });
  }

  #claim(process: SimulatedProcess): void {
    const { state } = process.kernel ?? {};
    const types = [...(state?.claimableTypes() ?? [])];
    if (state === undefined || types.length === 0) return;
    const [jobId] = state.claimable(this.#world.dice.pick(types));
    if (jobId !== undefined) this.#claimJob(process, jobId);
  }

  #claimJob(process: SimulatedProcess, jobId: string): void {
    const token = `token-${++this.#count}`;
    const leaseEnd = this.#later();
    const { witness } = this.#world;
    const one = deed('job.claimed', jobId, token, leaseEnd);
    witness.asks(one);
    const command: Command = {
      kind: 'claim',
      ...this.#asked('worker'),
      job_id: jobId,
      claim_token: token,
      lease_expires_at: leaseEnd,
    };
    const acknowledged = ({ job }: Outcome): void => {
      this.#acknowledged(process, one, '"job.claimed"', `"${token}"`);
      if (job?.claim_token === token) this.#leases.push(leaseOf(job));
    };
    this.#execute(process, command, acknowledged, one);
  }

  #underLease(process: SimulatedProcess): void {
    if (this.#leases.length === 0) return;
    const { dice } = this.#world;
    // Mostly one of the newest; sometimes one that is long gone.
    const lease = dice.maybe(0.7)
      ? (this.#leases.at(-1 - dice.int(2)) ?? dice.pick(this.#leases))
      : dice.pick(this.#leases);
    dice.weighted<() => void>([
      [2, () => this.#beat(process, lease)],
      [2, () => this.#complete(process, lease)],
      [1, () => this.#fail(process, lease)],
      [1.5, () => this.#expire(process, lease)],
    ])();
  }

  #beat(process: SimulatedProcess, lease: Lease): void {
    const lease_expires_at = this.#later();
    this.#say(
      process,
      lease,
      'job.heartbeat',
      { kind: 'heartbeat', lease_expires_at, artifacts: undefined },
      lease_expires_at,
    );
  }
  #complete(process: SimulatedProcess, lease: Lease): void {
    this.#say(process, lease, 'job.completed', { kind: 'complete', artifacts: undefined, artifact_refs: undefined });
  }
  #fail(process: SimulatedProcess, lease: Lease): void {
    const failure = { code: 'request_rejected', message: 'it could not be done', retryable: false } as const;
    this.#say(process, lease, 'job.failed', { kind: 'fail', failure, artifacts: undefined });
  }
  #expire(process: SimulatedProcess, lease: Lease): void {
    this.#world.witness.asks(deed('job.failed', lease.job_id));
    this.#say(process, lease, 'job.lease_expired', { kind: 'expire_lease' });
  }

  #say(
    process: SimulatedProcess,
    lease: Lease,
    eventType: string,
    more: { kind: 'heartbeat' | 'complete' | 'fail' | 'expire_lease' } & Record<string, unknown>,
    leaseEnd?: string,
  ): void {
    const one = deed(eventType, lease.job_id, lease.claim_token, leaseEnd);
    this.#world.witness.asks(one);
    const command = { ...this.#asked('worker'), ...lease, ...more } as Command;
    const held = process.kernel?.state.job(lease.job_id)?.claim_token === lease.claim_token;
    if (!held) this.#world.happens('late result');
    this.#execute(process, command, () => {
      this.#acknowledged(process, one, `"${eventType}"`, `"claim_token":"${lease.claim_token}"`);
    });
  }

  /** A reader looks at the state: what it is shown must never be lost. */
  #look(process: SimulatedProcess): void {
    const { lastEventId, lastSeq } = process.kernel?.state ?? {};
    if (lastEventId === undefined || lastSeq === undefined) return;
    this.#world.judge(() => this.#world.witness.shows(lastEventId, lastSeq));
    this.#requireDurable(`${lastEventId} was shown to a reader`, `"event_id":"${lastEventId}"`);
  }

  /** A reader asks for the events themselves. */
  async #read(process: SimulatedProcess): Promise<void> {
    const { ledger } = process;
    if (ledger === undefined || this.#world.tampered !== undefined) return;
    const toSeq = ledger.lastSeq();
    let seq = Math.max(0, toSeq - this.#world.dice.int(12));
    const excuses = process.excuses;
    try {
      for await (const { event } of ledger.read(seq + 1, toSeq)) {
        if (process.isOver) return;
        seq += 1;
        if (event.seq !== seq) return this.#world.violated(`a reader was given event ${event.seq} for ${seq}`);
        this.#world.judge(() => this.#world.witness.shows(event.event_id, event.seq));
      }
      if (seq !== toSeq && !process.isOver) this.#world.violated(`a reader was given events up to ${seq} of ${toSeq}`);
    } catch (error) {
      if (!process.isOver && process.excuses === excuses && !this.#world.everTampered)
        this.#world.violated(`a reader was refused: ${String(error)}`);
    }
  }

  /** @param once what it asks for, where nobody ever asks for the same again */
  #execute(process: SimulatedProcess, command: Command, acknowledged: (outcome: Outcome) => void, once?: string): void {
    const world = this.#world;
    const vanishes = world.dice.maybe(0.1);
    if (vanishes) world.happens('client vanished');
    world.note(`${process.name} ${command.kind} ${'job_id' in command ? command.job_id : ''}`);
    process.unanswered += 1;
    process.kernel?.execute(command).then(
      (outcome) => {
        process.unanswered -= 1;
        if (process.isOver) return;
        if (!vanishes) acknowledged(outcome);
        if (outcome.appended > 0 && world.tampered?.what === process.ledger?.segment.name)
          world.violated(`${command.kind} was acknowledged although its segment was taken away or changed`);
        if (process.stopped !== undefined && outcome.appended > 0)
          world.violated(`${command.kind} was acknowledged after the writer had stopped: ${process.stopped}`);
      },
      (error: unknown) => {
        process.unanswered -= 1;
        if (process.isOver) return;
        if (!(error instanceof AgentopsdError) || !EXPECTED_REFUSALS.has(error.code))
          world.violated(`${command.kind} failed: ${error instanceof Error ? error.stack : String(error)}`);
        else if (error.code === 'outcome_unknown' || error.code === 'writer_stopped') this.#judgeHalted(process);
        // "Nothing was written" is a promise too.
        if (once !== undefined && codeOf(error) === 'writer_stopped') world.witness.denies(once);
      },
    );
  }

  /** Who turns a caller away because nothing is written has to say so to everybody. */
  #judgeHalted(process: SimulatedProcess): void {
    const { writable, reasons } = process.kernel?.health() ?? { writable: false, reasons: ['it never opened'] };
    if (process.phase === 'serving' && (writable || reasons.length === 0))
      this.#world.violated(`${process.name} turns callers away, and tells that it ${writable ? 'writes' : 'does not'}`);
  }

  #acknowledged(process: SimulatedProcess, one: string, ...words: readonly string[]): void {
    this.#world.note(`${process.name} acknowledges ${one}`);
    this.#world.witness.acknowledges(one);
    const name = process.ledger?.segment.name;
    if (name !== process.segmentName) this.#world.happens('segment ended');
    process.segmentName = name;
    this.#requireDurable(`${one} was acknowledged`, ...words);
  }

  /** At the moment of an answer the line stands where a loss of power does not take it away. */
  #requireDurable(what: string, ...words: readonly string[]): void {
    const world = this.#world;
    if (world.tampered !== undefined) return;
    for (const content of survivingLedgerFiles(world.disk)) if (holdsLine(content, words)) return;
    world.violated(`${what} before it was on the disk`);
  }

  #asked(actor: string): { actor: string; occurredAt: string } {
    return { actor, occurredAt: new Date(this.#world.time.wallMs).toISOString() };
  }
  #later(): string {
    return new Date(this.#world.time.wallMs + LEASE_MS + ++this.#count).toISOString();
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof AgentopsdError ? error.code : undefined;
}

function leaseOf(job: Job): Lease {
  return { job_id: job.job_id, claim_token: job.claim_token ?? '', lease_epoch: job.lease_epoch };
}

function isOver(job: Job): boolean {
  return job.status === 'completed' || job.status === 'failed' || job.status === 'cancelled';
}

/** Whether one whole line holds all the words. */
function holdsLine(content: Buffer, words: readonly string[]): boolean {
  const [first = '', ...others] = words;
  for (let at = content.indexOf(first); at >= 0; at = content.indexOf(first, at + 1)) {
    const from = content.lastIndexOf(0x0a, at) + 1;
    const to = content.indexOf(0x0a, at);
    if (to >= 0 && others.every((word) => content.subarray(from, to).includes(word))) return true;
  }
  return false;
}

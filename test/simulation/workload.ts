/**
 * The people and workers around a daemon: they submit, with keys and again, cancel, claim, beat, complete, fail, come too
 * late, go away before they are answered, and read.
 */
import type { Command, Outcome } from '../../lib/model/command.js';
import type { JobType } from '../../lib/model/event.js';
import type { Job } from '../../lib/model/job.js';
import { Asking } from './asking.js';
import { deed } from './checker/jobs.js';
import type { SimulatedProcess } from './process.js';
import { Readers } from './readers.js';
import type { World } from './world.js';

interface Lease {
  readonly job_id: string;
  readonly claim_token: string;
  readonly lease_epoch: number;
}

const JOB_TYPES: readonly JobType[] = ['openclaw.snapshot', 'wiki.build', 'rpi.run'];
const LEASE_MS = 30_000;
/** So many jobs in a run at the most: histories stay short. */
const MOST_JOBS = 10;

export class Workload {
  readonly #world: World;
  readonly #asking: Asking;
  readonly #readers: Readers;
  readonly #jobs: string[] = [];
  readonly #keys: string[] = [];
  /** Leases that workers hold or held: any of them may come back late. */
  readonly #leases: Lease[] = [];
  #count = 0;

  constructor(world: World) {
    this.#world = world;
    this.#asking = new Asking(world);
    this.#readers = new Readers(world, this.#asking);
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
      [2, () => this.#readers.look(process)],
      [0.3, () => void this.#readers.read(process)],
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
      this.#asking.acknowledged(
        process,
        deed('job.accepted', job.job_id),
        `"job.accepted"`,
        `"job_id":"${job.job_id}"`,
      );
    };
    this.#asking.execute(process, command, acknowledged, deed('job.accepted', jobId));
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
    this.#asking.execute(process, command, ({ cancelOutcome, job }) => {
      if (cancelOutcome === 'cancelled')
        this.#asking.acknowledged(process, deed('job.cancelled', jobId), '"job.cancelled"', `"job_id":"${jobId}"`);
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
      this.#asking.acknowledged(process, one, '"job.claimed"', `"${token}"`);
      if (job?.claim_token === token) this.#leases.push(leaseOf(job));
    };
    this.#asking.execute(process, command, acknowledged, one);
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
    this.#asking.execute(process, command, () => {
      this.#asking.acknowledged(process, one, `"${eventType}"`, `"claim_token":"${lease.claim_token}"`);
    });
  }

  #asked(actor: string): { actor: string; occurredAt: string } {
    return { actor, occurredAt: new Date(this.#world.time.wallMs).toISOString() };
  }
  #later(): string {
    return new Date(this.#world.time.wallMs + LEASE_MS + ++this.#count).toISOString();
  }
}

function leaseOf(job: Job): Lease {
  return { job_id: job.job_id, claim_token: job.claim_token ?? '', lease_epoch: job.lease_epoch };
}

function isOver(job: Job): boolean {
  return job.status === 'completed' || job.status === 'failed' || job.status === 'cancelled';
}

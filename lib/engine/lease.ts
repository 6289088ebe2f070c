/**
 * The lease of a running attempt: its renewal and its end. `lease-records.ts` has its records on the disk.
 *
 * One time counts: the end that the ledger's last claim or heartbeat tells. A sign of life from the thread renews the
 * lease file often, and the ledger every heartbeat, so that the ledger alone never shows an expired lease on a live job;
 * when that end passes without a sign of life the lease is lost. Here it is measured on the monotonic clock.
 */
import { timestamp } from '../base/clock.js';
import { AgentopsdError, errorTable } from '../base/errors.js';
import type { Command, CompleteCommand } from '../model/command.js';
import type { AgentRunFacts, Artifacts } from '../model/event.js';
import type { Job } from '../model/job.js';
import type { Progress, WorkerResult } from '../model/worker-protocol.js';
import { AgentRunNews } from './agent-run-news.js';
import type { AttemptSeams, HeldLease } from './attempt-seams.js';
import type { RecordedChild } from './ladder.js';
import { LeaseRecords } from './lease-records.js';

/** Changed artifacts, and what agents do, go into a heartbeat of their own at most this often. */
const NEWS_INTERVAL_MS = 1000;
/** Progress is shown at most this often. */
const PROGRESS_INTERVAL_MS = 500;
const SETTLE_AGAIN_MS = 500;
/** The lease file is renewed at this part of the lease, if the heartbeat isn't sooner. */
const FILE_RENEWALS_PER_LEASE = 4;

export interface LeaseTerms {
  readonly marker: string;
  /** Grows while the attempt runs. */
  readonly children: readonly RecordedChild[];
  readonly startedAfter: string | undefined;
  readonly actor: string;
  readonly leaseMs: number;
  readonly heartbeatMs: number;
  readonly endsAtMonotonicMs: number;
}

export class Lease {
  /** Where it can be found by whoever does not know of it. */
  readonly records: LeaseRecords;
  readonly #seams: AttemptSeams;
  readonly #job: Job;
  readonly #terms: LeaseTerms;
  readonly #fileIntervalMs: number;
  #endsAtMonotonicMs: number;
  /** What the file tells; never sooner than the ledger's. */
  #shownEnd: string;
  #lastBeats = 0;
  #lastFileMs: number;
  #lastEventMs: number;
  #artifacts: Artifacts | undefined;
  #progress: Progress | undefined;
  readonly #agentRuns = new AgentRunNews();
  #lastProgressMs = Number.NEGATIVE_INFINITY;
  #givenUp = false;
  #renewing: Promise<void> | undefined;
  #ended: Promise<void> | undefined;

  constructor(seams: AttemptSeams, job: Job, terms: LeaseTerms) {
    this.#seams = seams;
    this.#job = job;
    this.#terms = terms;
    this.#fileIntervalMs = Math.min(terms.heartbeatMs, terms.leaseMs / FILE_RENEWALS_PER_LEASE);
    this.#endsAtMonotonicMs = terms.endsAtMonotonicMs;
    this.#shownEnd = job.lease_expires_at ?? '';
    this.#lastFileMs = this.#lastEventMs = terms.endsAtMonotonicMs - terms.leaseMs;
    this.records = new LeaseRecords(seams, job.job_id, () => this.#held());
  }

  tellArtifacts(artifacts: Artifacts): void {
    this.#artifacts = artifacts;
  }

  /** What was spent goes along with the next heartbeat; that a run began or ended gets one of its own. */
  tellAgentRun({ run, facts, urgent }: { run: string; facts: AgentRunFacts; urgent: boolean }): void {
    this.#agentRuns.tell(run, facts, urgent);
  }

  /** As its worker told last. */
  get progress(): Progress | undefined {
    return this.#progress;
  }

  /** How far the work is stands in the lease file, not in the ledger. */
  tellProgress(progress: Progress): void {
    this.#progress = progress;
    const now = this.#seams.clock.monotonicMs();
    if (now - this.#lastProgressMs < PROGRESS_INTERVAL_MS) return;
    this.#lastProgressMs = now;
    this.records.touch();
  }

  /** A result that can't be recorded now is not tried again: nothing will ever be recorded, or nobody waits. */
  giveUp(): void {
    this.#givenUp = true;
  }

  /**
   * One look at the signs of life.
   * @param beats how many there were so far
   * @returns false when the lease is lost
   */
  renew(beats: number): boolean {
    if (this.#ended !== undefined) return true;
    const now = this.#seams.clock.monotonicMs();
    if (beats !== this.#lastBeats) {
      this.#lastBeats = beats;
      this.#renewAsDue(now);
    }
    return this.#renewing !== undefined || now < this.#endsAtMonotonicMs;
  }

  /** The clocks can't be compared with what they were: the lease counts from now, and the ledger is told at once. */
  rearm(): void {
    if (this.#ended !== undefined) return;
    this.#endsAtMonotonicMs = this.#seams.clock.monotonicMs() + this.#terms.leaseMs;
    this.#beatInLedger();
  }

  /** Gives the lease up: the job is tried again, or has used its attempts up. A lease that is gone already is no error. */
  expire(): Promise<void> {
    this.#ended ??= this.#execute({ ...this.#spoken(), kind: 'expire_lease' });
    return this.#ended;
  }

  /**
   * Tells the result; one that comes too late changes nothing. While the ledger takes nothing, such as on a full disk,
   * it is told again until the lease runs out: the work is not to be done twice for that.
   */
  settle(result: WorkerResult): Promise<void> {
    this.#ended ??= this.#settleInTime(result);
    return this.#ended;
  }

  async #settleInTime(result: WorkerResult): Promise<void> {
    const { clock } = this.#seams;
    for (;;) {
      try {
        return await this.#settle(result);
      } catch (error) {
        const mayPass = error instanceof AgentopsdError && errorTable[error.code].retryable;
        if (!mayPass || this.#givenUp || clock.monotonicMs() >= this.#endsAtMonotonicMs) throw error;
        await new Promise<void>((resolve) => clock.after(SETTLE_AGAIN_MS, resolve));
      }
    }
  }

  #settle(result: WorkerResult): Promise<void> {
    const { artifacts } = result;
    const agent_runs = this.#agentRuns.all();
    if (result.kind === 'failed')
      return this.#execute({ ...this.#spoken(), kind: 'fail', failure: result.failure, artifacts, agent_runs });
    const { job_id, claim_token, lease_epoch, actor, occurredAt } = this.#spoken();
    const { artifact_refs } = result;
    // Written out: every job that succeeds makes one, and one put together from parts costs several times as much.
    return this.#execute({
      kind: 'complete',
      job_id,
      claim_token,
      lease_epoch,
      actor,
      occurredAt,
      artifacts,
      artifact_refs,
      agent_runs,
    });
  }

  #renewAsDue(now: number): void {
    const hasNews = this.#artifacts !== undefined || this.#agentRuns.isDue;
    const newsDue = hasNews && now - this.#lastEventMs >= NEWS_INTERVAL_MS;
    if (now - this.#lastEventMs >= this.#terms.heartbeatMs || newsDue) this.#beatInLedger();
    if (now - this.#lastFileMs < this.#fileIntervalMs) return;
    this.#lastFileMs = now;
    this.#shownEnd = timestamp(this.#seams.clock.wallMs() + this.#terms.leaseMs);
    this.records.touch();
  }

  #beatInLedger(): void {
    if (this.#renewing !== undefined) return;
    const { clock, logger } = this.#seams;
    const now = clock.monotonicMs();
    const artifacts = this.#artifacts;
    const lease_expires_at = timestamp(clock.wallMs() + this.#terms.leaseMs);
    const agent_runs = this.#agentRuns.take();
    this.#artifacts = undefined;
    this.#lastEventMs = now;
    this.#renewing = this.#execute({ ...this.#spoken(), kind: 'heartbeat', lease_expires_at, artifacts, agent_runs })
      .then(() => {
        this.#endsAtMonotonicMs = Math.max(this.#endsAtMonotonicMs, now + this.#terms.leaseMs);
      })
      .catch((error: unknown) =>
        logger('warn', `job ${this.#job.job_id}: heartbeat: ${error instanceof Error ? error.message : String(error)}`),
      )
      .finally(() => {
        this.#renewing = undefined;
      });
  }

  #held(): HeldLease {
    const { job_id, job_type, attempt, claim_token = '', lease_epoch } = this.#job;
    const { marker, children, startedAfter: started_after } = this.#terms;
    return {
      job_id,
      job_type,
      attempt,
      claim_token,
      lease_epoch,
      lease_expires_at: this.#shownEnd,
      marker,
      children: [...children],
      started_after,
      progress: this.#progress,
    };
  }

  /** What every command under this lease says. */
  #spoken(): Spoken {
    return {
      job_id: this.#job.job_id,
      claim_token: this.#job.claim_token ?? '',
      lease_epoch: this.#job.lease_epoch,
      actor: this.#terms.actor,
      occurredAt: timestamp(this.#seams.clock.wallMs()),
    };
  }

  /** A lease that somebody else ended meanwhile (a cancel, mostly) is no error: the first terminal event counts. */
  async #execute(command: Command): Promise<void> {
    try {
      await this.#seams.kernel.execute(command);
    } catch (error) {
      if (!(error instanceof AgentopsdError && error.code === 'stale_lease')) throw error;
    }
  }
}

type Spoken = Pick<CompleteCommand, 'job_id' | 'claim_token' | 'lease_epoch' | 'actor' | 'occurredAt'>;

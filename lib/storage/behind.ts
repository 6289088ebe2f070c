/**
 * The verification of what a checkpoint covers, beside the work: everything is read and hashed as at an opening without
 * one, in small blocks, so that whoever waits for an answer hardly notices.
 */
import type { Clock } from '../base/clock.js';
import { AgentopsdError } from '../base/errors.js';
import { limits } from '../base/limits.js';
import type { DamageRecord } from '../model/health.js';
import type { Condition } from './condition.js';
import type { Disk, DiskFile } from './disk.js';
import type { Home } from './home.js';
import type { QuarantineOptions } from './quarantine.js';
import { copyDamage } from './repair.js';
import type { ReplayOptions, ReplayPlan } from './replay.js';
import { planReplay } from './replay.js';

/** It was stopped before it was through. */
export class Interrupted extends Error {}

/**
 * @param source what was listed when the ledger was opened, without what was set aside since
 * @param onSegment called with each segment that is verified, oldest first
 * @throws Interrupted when `signal` aborts; DiskError when a file is gone meanwhile
 */
export function verifyBehind(
  source: ReplayOptions,
  onSegment: (segment: string) => void,
  clock: Clock,
  signal: AbortSignal,
): Promise<ReplayPlan> {
  return planReplay({ ...source, disk: patient(source.disk, clock, signal), onScanned: onSegment });
}

export interface BehindOptions extends QuarantineOptions {
  readonly home: Home;
  readonly plan: ReplayPlan;
  readonly condition: Condition;
  readonly progress: (text: string) => void;
  /** What was covered is damaged. */
  readonly onDamage: () => Promise<void>;
}

/** The verification of one opening: tells the condition how far it is, and what it finds. */
export class Behind {
  readonly #options: BehindOptions;
  readonly #abort = new AbortController();

  constructor(options: BehindOptions) {
    this.#options = options;
    options.condition.verified(0);
  }

  /** Never throws: what can't be read now the daemon's other checks find as well. */
  async run(): Promise<void> {
    const { disk, clock, layout, home, plan, condition, progress } = this.#options;
    const names = plan.segments.filter((name) => !plan.orphans.includes(name));
    const throughSeq = new Map(plan.chain.map((link) => [link.segment, link.lastSeq]));
    const onSegment = (name: string): void =>
      condition.verified(throughSeq.get(name) ?? condition.health().verifiedThroughSeq);
    try {
      const source = { disk, ledgerFolder: layout.ledger, home, names };
      const found = await verifyBehind(source, onSegment, clock, this.#abort.signal);
      if (found.status === 'corrupt') await this.#tell({ ...found, claimsHeldThroughSeq: heldThrough(found, plan) });
      condition.verified(undefined);
    } catch (error) {
      if (error instanceof Interrupted) return;
      progress(
        `the older part of the ledger could not be verified: ${error instanceof Error ? error.message : String(error)}`,
      );
      const altered = alteredSince(plan, error);
      if (altered !== undefined)
        await this.#tell({ damage: [altered], reasons: plan.reasons, claimsHeldThroughSeq: plan.lastSeq });
    }
  }

  stop(): void {
    this.#abort.abort();
  }

  async #tell(found: Pick<ReplayPlan, 'damage' | 'reasons' | 'claimsHeldThroughSeq'>): Promise<void> {
    const { condition, onDamage, progress } = this.#options;
    const tell = (damage: readonly DamageRecord[]): void =>
      condition.found(damage, found.reasons, found.claimsHeldThroughSeq);
    // First of all: from here on nothing of it is claimed.
    tell(found.damage);
    await onDamage().catch((error: unknown) => progress(`a checkpoint of a damaged ledger stays: ${String(error)}`));
    tell(await copyDamage(this.#options, found.damage));
    progress(`the older part of the ledger is damaged: ${found.damage.length} lines can't be believed`);
  }
}

/** A line that was the last one, and can't be read any more, is no event of `found`; what it said is in the state. */
function heldThrough(found: ReplayPlan, opened: ReplayPlan): number {
  return Math.max(found.claimsHeldThroughSeq, opened.lastSeq);
}

/**
 * A line that claims a newer version: this program has verified it once, so it was altered since. What comes behind it
 * stays unverified, and the next start, without a checkpoint, refuses the ledger as any other of a newer version.
 */
function alteredSince({ chain }: ReplayPlan, error: unknown): DamageRecord | undefined {
  if (!(error instanceof AgentopsdError) || error.code !== 'ledger_newer') return undefined;
  const { segment, segment_line } = error.details as { segment: string; segment_line: number };
  const firstLine = chain.find((link) => link.segment === segment)?.firstLineNumber ?? 1;
  return { line_number: firstLine + segment_line - 1, segment, segment_line, error: error.message };
}

/** Reads little at a time, with pauses, and no more once it was interrupted. */
function patient(disk: Disk, clock: Clock, signal: AbortSignal): Disk {
  return new Proxy(disk, {
    get: (target, name) => {
      if (name === 'open')
        return async (...given: Parameters<Disk['open']>) => patientFile(await target.open(...given), clock, signal);
      const member: unknown = Reflect.get(target, name);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
}

function patientFile(file: DiskFile, clock: Clock, signal: AbortSignal): DiskFile {
  return {
    path: file.path,
    writeSync: () => {
      throw new Error('invariant broken: a verification writes nothing');
    },
    datasync: () => file.datasync(),
    truncate: () => Promise.reject(new Error('invariant broken: a verification cuts nothing')),
    factsSync: () => file.factsSync(),
    close: () => file.close(),
    read: async (position, length) => {
      await pause(clock, signal);
      if (signal.aborted) throw new Interrupted('the verification was interrupted');
      return file.read(position, Math.min(length, limits.backgroundBlockBytes));
    },
  };
}

/** Ends early when `signal` aborts. */
function pause(clock: Clock, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const cancel = clock.after(limits.backgroundPauseMs, () => {
      signal.removeEventListener('abort', interrupt);
      resolve();
    });
    const interrupt = (): void => {
      cancel();
      resolve();
    };
    signal.addEventListener('abort', interrupt, { once: true });
  });
}

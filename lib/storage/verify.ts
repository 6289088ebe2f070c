/**
 * The whole check of a ledger: order, hashes, seals and macs (the replay's own), then what the events say: unique ids,
 * one effect a key, the table of transitions, leases. Each finding names its line; nothing is changed.
 *
 * A batch of another home can be checked by the chain alone: its mac is made with a key that only that home has.
 */

import { canonicalJson } from '../base/canonical.js';
import type { LedgerEvent } from '../model/event.js';
import { DAMAGE_ADOPTED, eventIdOf } from '../model/event.js';
import type { Ignored } from '../model/fold.js';
import type { DamageRecord } from '../model/health.js';
import { State } from '../model/state.js';
import type { Anchor } from './anchor.js';
import { readAnchor } from './anchor.js';
import { isLacking, lackingRecord } from './lacking.js';
import { hashOfLine } from './line.js';
import type { ReplayedEvent, ReplayOptions, ReplayPlan } from './replay.js';
import { planReplay, replayBlocks } from './replay.js';

export interface Finding {
  /** Name of the segment, and the line in it, from 1. */
  readonly file: string;
  readonly line: number;
  /** What is there. */
  readonly what: string;
  /** What follows from it. */
  readonly meaning: string;
  /** What to do, as one line. */
  readonly repair: string;
}

/** What is no fault, but worth a line: a torn end. */
export interface VerifyNote {
  readonly file: string;
  readonly what: string;
}

export interface Verification {
  readonly whole: boolean;
  readonly findings: readonly Finding[];
  readonly notes: readonly VerifyNote[];
  readonly segments: number;
  readonly events: number;
  readonly lastEventId: string | undefined;
  /** Whether macs could be checked: our home's key is there. */
  readonly macsChecked: boolean;
}

export interface VerifyOptions extends ReplayOptions {
  /** Path of the ledger's folder as a person types it, for the repair lines; default the folder itself. */
  readonly shownFolder?: string;
  /** Our home's folder: what it knows to be acknowledged, the ledger has to have. */
  readonly homeFolder?: string | undefined;
  /** Called now and then with the events folded so far and those in all. */
  readonly progress?: (doneEvents: number, allEvents: number) => void;
}

const PROGRESS_STEP_EVENTS = 20_000;

/** @throws AgentopsdError `ledger_newer`, `ledger_unreadable`, `file_unsafe`; DiskError */
export async function verifyLedger(options: VerifyOptions): Promise<Verification> {
  const { homeFolder } = options;
  // Before the files are read: a daemon that runs goes on with both.
  const anchor = homeFolder === undefined ? undefined : await readAnchor(options.disk, { folder: homeFolder });
  const plan = await planReplay(options);
  const folder = options.shownFolder ?? options.ledgerFolder;
  const findings = [...plan.damage.map((record) => damageFinding(record, folder)), ...headFindings(plan, folder)];
  const check = new EventCheck(plan.status === 'corrupt');
  const acknowledged = new AcknowledgedCheck(plan, anchor);
  let events = 0;
  for await (const block of replayBlocks(options, plan)) {
    for (const stored of block) {
      const finding = check.take(stored);
      if (finding) findings.push(finding);
      acknowledged.take(stored);
      if (++events % PROGRESS_STEP_EVENTS === 0) options.progress?.(events, plan.lastSeq);
    }
  }
  options.progress?.(events, plan.lastSeq);
  findings.push(...acknowledged.findings(folder));
  return {
    whole: findings.length === 0,
    findings,
    notes: plan.torn.map(({ segment, fromByte, toByte }) => ({ file: segment, what: tornText(fromByte, toByte) })),
    segments: plan.segments.length,
    events,
    lastEventId: plan.lastEventId,
    macsChecked: options.home !== undefined,
  };
}

function tornText(fromByte: number, toByte: number): string {
  return `a write was cut off: ${toByte - fromByte} bytes from byte ${fromByte} on were never acknowledged and count for nothing`;
}

function damageFinding(record: DamageRecord, folder: string): Finding {
  return {
    file: record.segment,
    line: record.segment_line,
    what: record.error,
    meaning:
      'An event here is lost or altered; jobs accepted up to the end of the ledger as it is now are not claimed.',
    repair: `git checkout -- ${folder}/${record.segment} where the committed version is whole; otherwise agentopsd adopt --damage`,
  };
}

/** Whether the ledger holds what its home acknowledged last, or the lack of it was accepted. */
class AcknowledgedCheck {
  readonly #plan: ReplayPlan;
  readonly #anchor: Anchor | undefined;
  readonly #accepted = new Set<unknown>();
  /** The line that has the anchored event's number; of several that which is the event. */
  #found: { segment: string; line: number; hash: string } | undefined;

  constructor(plan: ReplayPlan, anchor: Anchor | undefined) {
    this.#plan = plan;
    this.#anchor = anchor;
  }

  take({ event, ours, segment, segmentLine: line }: ReplayedEvent): void {
    if (ours && event.event_type === DAMAGE_ADOPTED) {
      const records = event.payload?.['records'];
      if (Array.isArray(records))
        for (const record of records) this.#accepted.add((record as { error?: unknown }).error);
    }
    if (event.seq !== this.#anchor?.seq || this.#found?.hash === this.#anchor.hash) return;
    this.#found = { segment, line, hash: hashOfLine(Buffer.from(canonicalJson(event), 'utf8')) };
  }

  findings(folder: string): Finding[] {
    if (this.#anchor === undefined || !isLacking(this.#plan, this.#anchor, this.#found)) return [];
    const record = lackingRecord(this.#plan, this.#anchor);
    if (this.#accepted.has(record.error)) return [];
    return [
      {
        file: record.segment,
        line: record.segment_line,
        what: record.error,
        meaning: 'What was acknowledged after this state of the ledger is not in it; no job in it is claimed.',
        repair: `bring back what is missing from ${folder} (another branch, git stash, the quarantine) before a daemon starts; otherwise agentopsd adopt --damage`,
      },
    ];
  }
}

function headFindings(plan: ReplayPlan, folder: string): Finding[] {
  const file = plan.chain.at(-1)?.segment ?? plan.segments.at(-1) ?? '';
  return plan.reasons.map((what) => ({
    file,
    line: 1,
    what,
    meaning: 'Two histories were written from one place, as when a copy and the original both went on.',
    repair: `keep one of the two heads in ${folder}, and move the segments that only the other one needs out of it`,
  }));
}

/**
 * Why an event that changes nothing is one that no daemon would have written. A foreign one may well be passed over, and
 * where lines are lost, most of this follows from the loss.
 */
const illegal: Readonly<Partial<Record<Ignored, string>>> = {
  unknown_job: 'it is about a job that was never accepted',
  illegal_transition: 'the job was not in a state in which this may happen',
  bad_payload: 'its payload does not have the members that its type needs',
  stale_lease: 'it carries another claim token or epoch than the current lease',
  attempts_used_up: 'it claims a job more often than its max_attempts allows',
};

/** What the events say, one after the other. */
class EventCheck {
  readonly #state = new State();
  /** Those that are not made of the event's own members: such ids end in `seq`, and no two are the same. */
  readonly #oddIds = new Set<string>();
  readonly #keys = new Map<string, string>();
  readonly #whyIllegal: typeof illegal;

  constructor(damaged: boolean) {
    this.#whyIllegal = damaged ? { bad_payload: illegal.bad_payload } : illegal;
  }

  take({ event, ours, segment, segmentLine }: ReplayedEvent): Finding | undefined {
    const twice = this.#whyTwice(event, ours);
    const { ignored } = this.#state.apply(event, ours);
    const why = twice ?? (ours && ignored !== undefined ? this.#whyIllegal[ignored] : undefined);
    if (why === undefined) return undefined;
    return {
      file: segment,
      line: segmentLine,
      what: `${event.event_id}: ${why}`,
      meaning: 'The line is as it was written, but the event changes nothing: the views pass over it.',
      repair: 'none is needed for the ledger; tell the makers of the daemon that wrote it, with this line',
    };
  }

  #whyTwice(event: LedgerEvent, ours: boolean): string | undefined {
    const id = event.event_id;
    if (id !== eventIdOf(event.event_type, event.job_id, event.seq)) {
      if (this.#oddIds.has(id)) return 'its event_id stands on an earlier line already';
      if (ours) return 'its event_id is not made of its own type, job and seq';
      this.#oddIds.add(id);
    }
    const key = event.event_type === 'job.accepted' && ours ? event.payload?.idempotency_key : undefined;
    if (typeof key !== 'string') return undefined;
    const jobId = this.#keys.get(key);
    if (jobId !== undefined) return `its idempotency_key was used already, by job ${jobId}`;
    this.#keys.set(key, event.job_id);
    return undefined;
  }
}

/**
 * The ledger's condition as it is told: damage, reasons, whether anything is written. Damage is accepted by an event of
 * our own, `ledger.damage_adopted` with the payload `{records: [{segment, line, error?}]}`; what it names is told no
 * more, and once all of it is accepted the jobs that were held back may be claimed again.
 */

import type { JsonObject } from '../base/json.js';
import { isJsonObject } from '../base/json.js';
import type { LedgerEvent } from '../model/event.js';
import { DAMAGE_ADOPTED } from '../model/event.js';
import type { DamageRecord, LedgerHealth } from '../model/health.js';

export interface AdoptedRecord {
  readonly segment: string;
  readonly line: number;
  readonly error: string | undefined;
}

export class Condition {
  #damage: readonly DamageRecord[] = [];
  #adopted: AdoptedRecord[] = [];
  #reasons: readonly string[] = [];
  #claimsHeldThroughSeq = 0;
  /** The record of an acknowledged event that this ledger lacks, if it does. */
  #lacking: DamageRecord | undefined;
  #verifiedThroughSeq: number | undefined;
  #halted: { reason: string; forGood: boolean } | undefined;
  #health: LedgerHealth | undefined;

  /** Takes notice of an event of our own home, replayed or durable. */
  notice(event: LedgerEvent): void {
    if (event.event_type !== DAMAGE_ADOPTED) return;
    this.#adopted.push(...recordsOf(event.payload));
    this.#health = undefined;
  }

  /** Damage that was accepted up to now. */
  get adopted(): readonly AdoptedRecord[] {
    return this.#adopted.slice();
  }

  /** Puts what was accepted earlier before all that was noticed. */
  restore(adopted: readonly AdoptedRecord[]): void {
    this.#adopted.unshift(...adopted);
    this.#health = undefined;
  }

  /** So far all is verified; undefined: all is. */
  verified(throughSeq: number | undefined): void {
    this.#verifiedThroughSeq = throughSeq;
    this.#health = undefined;
  }

  /** What a replay found, the first or a later one. */
  found(damage: readonly DamageRecord[], reasons: readonly string[], claimsHeldThroughSeq: number): void {
    this.#damage = damage;
    this.#reasons = reasons;
    this.#claimsHeldThroughSeq = Math.max(this.#claimsHeldThroughSeq, claimsHeldThroughSeq);
    this.#health = undefined;
  }

  /** The acknowledged event that `record` names is not there. No replay finds that, and none takes it back. */
  lacks(record: DamageRecord, claimsHeldThroughSeq: number): void {
    this.#lacking = record;
    this.#claimsHeldThroughSeq = claimsHeldThroughSeq;
    this.#health = undefined;
  }

  /** Nothing is acknowledged any more, for good or until `resumed`. */
  halted(reason: string, forGood: boolean): void {
    if (this.#halted?.forGood) return;
    this.#halted = { reason, forGood };
    this.#health = undefined;
  }

  resumed(): void {
    if (!this.#halted?.forGood) this.#halted = undefined;
    this.#health = undefined;
  }

  /** Whether anything is damaged or lacking, accepted or not. */
  get isDamaged(): boolean {
    return this.#records.length > 0;
  }

  /** Whether an acknowledged event is lacking that nobody accepted the loss of. */
  get isLacking(): boolean {
    return this.#lacking !== undefined && this.#isPresent(this.#lacking);
  }

  get #records(): readonly DamageRecord[] {
    return this.#lacking === undefined ? this.#damage : [...this.#damage, this.#lacking];
  }

  health(): LedgerHealth {
    this.#health ??= this.#tell();
    return this.#health;
  }

  #tell(): LedgerHealth {
    const damage = this.#records.filter((record) => this.#isPresent(record));
    return Object.freeze({
      damage,
      writable: this.#halted === undefined,
      reasons:
        this.#halted === undefined
          ? this.#reasons
          : [...this.#reasons, `the ledger is not being written: ${this.#halted.reason}`],
      claimsHeldThroughSeq: damage.length === 0 ? 0 : this.#claimsHeldThroughSeq,
      ...(this.#verifiedThroughSeq === undefined ? {} : { verifiedThroughSeq: this.#verifiedThroughSeq }),
    });
  }

  #isPresent(record: DamageRecord): boolean {
    // What lacks an event has no line of its own: its place changes as the ledger grows, its words do not.
    const isIt = (adopted: AdoptedRecord): boolean =>
      record === this.#lacking
        ? adopted.error === record.error
        : adopted.segment === record.segment && adopted.line === record.segment_line;
    return !this.#adopted.some(isIt);
  }
}

/** The payload that accepts `damage`. */
export function adoptionPayload(damage: readonly DamageRecord[]): JsonObject {
  return {
    records: damage.map((record) => ({ segment: record.segment, line: record.segment_line, error: record.error })),
  };
}

function recordsOf(payload: JsonObject | undefined): AdoptedRecord[] {
  const records = payload?.['records'];
  if (!Array.isArray(records)) return [];
  return records.flatMap((record) => {
    if (!isJsonObject(record)) return [];
    const { segment, line, error } = record;
    if (typeof segment !== 'string' || typeof line !== 'number') return [];
    return [{ segment, line, error: typeof error === 'string' ? error : undefined }];
  });
}

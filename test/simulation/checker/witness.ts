/**
 * What people outside were promised and have seen, and whether a ledger keeps to it. The witness lives through every
 * crash, and judges copies of the world as well: what was promised has to be in all of them.
 */
import { type Accounts, accountsOf, deed, deedOf } from './jobs.js';
import { LedgerReader, type LedgerText, type SegmentFiles } from './ledger-text.js';
import type { Home, Line, SegmentText } from './segment-text.js';
import { isValue } from './segment-text.js';

/** Something happened that must never happen. */
export class Violation extends Error {
  constructor(what: string) {
    super(what);
    this.name = 'Violation';
  }
}

export interface Submission {
  readonly key: string | undefined;
  readonly jobType: string;
  readonly payload: Record<string, string>;
  readonly maxAttempts: number;
}

export interface Audit extends Accounts {
  readonly ledger: LedgerText;
}

export class Witness {
  #reader: LedgerReader | undefined;
  /** What was asked for: nothing else may stand in the ledger. */
  readonly #asked = new Set<string>();
  readonly #submitted = new Map<string, Submission>();
  /** Deeds that were acknowledged, with the hash of their line once an audit has seen it. */
  readonly #acknowledged = new Map<string, string | undefined>();
  /** Deeds of which somebody was told that nothing was written. */
  readonly #denied = new Set<string>();
  /** Ids of events that a reader was shown, with their seq. */
  readonly #shown = new Map<string, number>();
  /** Hashes of lines that are as they were asked for. */
  readonly #known = new Set<string>();
  readonly #jobOfKey = new Map<string, string>();

  get acknowledgedCount(): number {
    return this.#acknowledged.size;
  }

  knowHome(home: Home): void {
    this.#reader ??= new LedgerReader(home);
  }
  asks(oneDeed: string): void {
    this.#asked.add(oneDeed);
  }
  submits(jobId: string, submission: Submission): void {
    this.#asked.add(deed('job.accepted', jobId));
    this.#submitted.set(jobId, submission);
  }
  acknowledges(oneDeed: string): void {
    if (!this.#acknowledged.has(oneDeed)) this.#acknowledged.set(oneDeed, undefined);
  }
  /** For a deed that nobody asks for a second time. */
  denies(oneDeed: string): void {
    this.#denied.add(oneDeed);
  }
  /** One key has one job, whoever is asked and whenever. */
  answersKey(key: string, jobId: string): void {
    const before = this.#jobOfKey.get(key);
    if (before !== undefined && before !== jobId)
      throw new Violation(`the key ${key} was answered with ${before}, then with ${jobId}`);
    this.#jobOfKey.set(key, jobId);
  }
  shows(eventId: string, seq: number): void {
    const before = this.#shown.get(eventId);
    if (before !== undefined && before !== seq)
      throw new Violation(`${eventId} was shown at ${before}, then at ${seq}`);
    this.#shown.set(eventId, seq);
  }

  segmentText(name: string, bytes: Buffer): SegmentText | undefined {
    return this.#reader?.segment(name, bytes);
  }
  read(files: SegmentFiles): LedgerText {
    return this.#reader?.ledger(files) ?? { events: [], problems: [], chain: [] };
  }

  /**
   * Judges a ledger that nobody damaged.
   * @throws Violation
   */
  audit(files: SegmentFiles, when: string): Audit {
    const ledger = this.read(files);
    const accounts = accountsOf(ledger.events);
    const [problem] = [...ledger.problems, ...accounts.problems];
    if (problem !== undefined) throw new Violation(`${when}: ${problem}`);
    this.#compareAsked(ledger.events, when);
    this.#comparePromised(ledger.events, when);
    return { ledger, ...accounts };
  }

  #compareAsked(events: readonly Line[], when: string): void {
    for (const { value, segment, number, hash } of events) {
      if (this.#known.has(hash)) continue;
      this.#known.add(hash);
      if (!this.#asked.has(deedOf(value)))
        throw new Violation(`${when}: ${segment}:${number} (${value['event_id']}) was never asked for`);
      if (value['event_type'] !== 'job.accepted') continue;
      const given = this.#submitted.get(String(value['job_id']));
      const payload = isValue(value['payload']) ? value['payload'] : {};
      const same =
        given !== undefined &&
        payload['idempotency_key'] === given.key &&
        payload['job_type'] === given.jobType &&
        payload['max_attempts'] === given.maxAttempts &&
        JSON.stringify(payload['job_payload']) === JSON.stringify(given.payload);
      if (!same) throw new Violation(`${when}: ${segment}:${number} is not what was submitted`);
    }
  }

  #comparePromised(events: readonly Line[], when: string): void {
    const byDeed = new Map(events.map((line) => [deedOf(line.value), line]));
    for (const [one, hash] of this.#acknowledged) {
      const line = byDeed.get(one);
      if (line === undefined) throw new Violation(`${when}: "${one}" was acknowledged and is lost`);
      if (hash !== undefined && hash !== line.hash)
        throw new Violation(`${when}: "${one}" was acknowledged and reads differently now`);
      this.#acknowledged.set(one, line.hash);
    }
    for (const one of this.#denied)
      if (byDeed.has(one)) throw new Violation(`${when}: "${one}" was told as not written, and stands in the ledger`);
    for (const [id, seq] of this.#shown) {
      if (events[seq - 1]?.value['event_id'] !== id)
        throw new Violation(`${when}: ${id} was shown to a reader and is lost`);
    }
  }
}

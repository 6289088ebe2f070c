/**
 * What runs on this machine, as far as it must be known to end what a job has left behind. On Linux everything comes
 * from `/proc`; elsewhere from `ps` (`process-table-ps.ts`).
 *
 * A process is named by pid and start time together: a pid alone is used again.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type ProcessStat, parseProcessStat } from '../base/process-stat.js';

export type ProcessFacts = ProcessStat;

export interface Survey {
  readonly everyone: readonly ProcessFacts[];
  readonly marked: readonly ProcessFacts[];
  /** Somebody was gone, or became another program, while we looked: a process that it began may not be in sight. */
  readonly doubtful: boolean;
}

export interface ProcessTable {
  /** Every process that can be seen, ourselves and dead ones included. */
  list(): Promise<readonly ProcessFacts[]>;
  /** One of them, as it is now. */
  find(pid: number): ProcessFacts | undefined;
  /** Whether it belongs to our user. */
  isOwn(pid: number): boolean;
  /** Those of `candidates` whose environment holds `entry` (`NAME=value`) as one whole entry. */
  withEntry(candidates: readonly ProcessFacts[], entry: string): Promise<readonly ProcessFacts[]>;
  /**
   * Both at once, for processes that don't wait for us: one that passes itself on from child to child lives for a moment
   * only, so each is looked at right when it is found, the youngest first.
   * @param since what began before has not the entry
   * @param found called at once for each that has it
   */
  survey?(entry: string, since: string | undefined, found: (process: ProcessFacts) => void): Promise<Survey>;
  /** This moment, to be compared with the start of processes later on; undefined where that can't be done. */
  moment(): string | undefined;
  /** Whether the process began at `moment` or later; true where that can't be told. */
  beganSince(process: ProcessFacts, moment: string): boolean;
  /** How long ago the process began, to a hundredth of a second; undefined where that can't be told. */
  ageMs?(process: ProcessFacts): number | undefined;
}

/** The main thread has other work: after so many files it lets the event loop turn once. */
const FILES_PER_TURN = 128;
/** `/proc/uptime` is cut to hundredths of a second, and so is the start time: this much of a difference means nothing. */
const TICK_TOLERANCE = 2;
/** `/proc/uptime` is read anew after so long: it tells no shorter times apart. */
const MOMENT_MS = 10;
/** Ticks in a second: what the kernel shows to programs is always this, whatever its own clock does. */
const TICKS_PER_SECOND = 100;

export class ProcTable implements ProcessTable {
  readonly #folder: string;
  readonly #uid: number;
  #boot: string | undefined;
  #momentRead: { readonly atMs: number; readonly moment: string | undefined } | undefined;

  constructor(folder = '/proc', uid = process.getuid?.() ?? -1) {
    this.#folder = folder;
    this.#uid = uid;
  }

  async list(): Promise<readonly ProcessFacts[]> {
    const processes: ProcessFacts[] = [];
    const names = readdirSync(this.#folder).filter((name) => /^\d+$/.test(name));
    for (const [at, name] of names.entries()) {
      if (at % FILES_PER_TURN === FILES_PER_TURN - 1) await nextTurn();
      const found = this.find(Number(name));
      if (found !== undefined) processes.push(found);
    }
    return processes;
  }

  find(pid: number): ProcessFacts | undefined {
    const text = this.#text(pid, 'stat');
    return text === undefined ? undefined : parseProcessStat(text);
  }

  isOwn(pid: number): boolean {
    const real = /^Uid:\s+(\d+)/m.exec(this.#text(pid, 'status') ?? '')?.[1];
    return real !== undefined && Number(real) === this.#uid;
  }

  async withEntry(candidates: readonly ProcessFacts[], entry: string): Promise<readonly ProcessFacts[]> {
    const found: ProcessFacts[] = [];
    for (const [at, candidate] of candidates.entries()) {
      if (at % FILES_PER_TURN === FILES_PER_TURN - 1) await nextTurn();
      // One whole entry: a value that only contains the marker is somebody else's.
      if (`\0${this.#text(candidate.pid, 'environ') ?? ''}\0`.includes(`\0${entry}\0`)) found.push(candidate);
    }
    return found;
  }

  async survey(entry: string, since: string | undefined, found: (process: ProcessFacts) => void): Promise<Survey> {
    const everyone: ProcessFacts[] = [];
    const marked: ProcessFacts[] = [];
    let doubtful = false;
    const pids = readdirSync(this.#folder)
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
    pids.sort((one, other) => other - one);
    const sinceTicks = since === undefined ? 0 : this.#ticks(since);
    for (const [at, pid] of pids.entries()) {
      if (at % FILES_PER_TURN === FILES_PER_TURN - 1) await nextTurn();
      const facts = this.find(pid);
      if (facts === undefined) doubtful = true;
      else everyone.push(facts);
      if (facts === undefined || Number(facts.started) < sinceTicks) continue;
      const environment = this.#text(pid, 'environ');
      if (`\0${environment ?? ''}\0`.includes(`\0${entry}\0`)) {
        marked.push(facts);
        found(facts);
      } else if (environment === undefined || environment === '') doubtful = true;
    }
    return { everyone, marked, doubtful };
  }

  /** `<boot id>:<ticks since the start of the machine>`. */
  moment(): string | undefined {
    const atMs = performance.now();
    if (this.#momentRead === undefined || atMs - this.#momentRead.atMs >= MOMENT_MS)
      this.#momentRead = { atMs, moment: this.#readMoment() };
    return this.#momentRead.moment;
  }

  #readMoment(): string | undefined {
    const seconds = Number(this.#file('uptime')?.split(' ')[0]);
    const boot = this.#bootId();
    return boot === undefined || !Number.isFinite(seconds)
      ? undefined
      : `${boot}:${Math.floor(seconds * TICKS_PER_SECOND)}`;
  }

  beganSince(process: ProcessFacts, moment: string): boolean {
    return Number(process.started) >= this.#ticks(moment);
  }

  ageMs({ started }: ProcessFacts): number | undefined {
    const ticks = this.moment()?.split(':')[1];
    return ticks === undefined ? undefined : ((Number(ticks) - Number(started)) * 1000) / TICKS_PER_SECOND;
  }

  /** The first start time that counts as after it; none does where it is of another boot. */
  #ticks(moment: string): number {
    const [boot, ticks] = moment.split(':');
    return boot === this.#bootId() ? Number(ticks) - TICK_TOLERANCE : Number.POSITIVE_INFINITY;
  }

  /** The same for as long as this process lives. */
  #bootId(): string | undefined {
    this.#boot ??= this.#file('sys/kernel/random/boot_id')?.trim();
    return this.#boot;
  }

  #text(pid: number, file: string): string | undefined {
    return this.#file(`${pid}/${file}`);
  }

  /** Undefined for what is gone, and for what we may not read. */
  #file(path: string): string | undefined {
    try {
      return readFileSync(`${this.#folder}/${path}`, 'latin1');
    } catch {
      return undefined;
    }
  }
}

/**
 * The ladder: ends every process of an attempt, whatever it does against that. SIGINT, after the grace SIGTERM, then
 * SIGKILL, then a sweep that is repeated until nothing is found.
 *
 * Whom it finds: the recorded children; whoever descends from one of them; whoever stands in the process group or the
 * session of one; whoever has the lease's marker in its environment. Once found, a process stays on the list by pid and
 * start time, so that one that is orphaned between two looks is not lost. Each look is a new one: a process that
 * appears while the ladder climbs is found by the next.
 *
 * Whom it never signals: another user's, one whose start time is not the recorded one (the pid was used again), one
 * that began before the claim, ourselves, and our ancestors. Dead ones that nobody has collected count as gone.
 *
 * What can escape it: a process that left its session, dropped the marker, and whose parent had ended before the first
 * look. Nothing below a container tells such a one from a stranger's.
 */
import { MARKER_VARIABLE } from '../model/worker-protocol.js';
import type { ProcessFacts, ProcessTable, Survey } from './process-table.js';

export interface RecordedChild {
  readonly pid: number;
  /** Its start time as the table tells it; without one the pid is not believed. */
  readonly started?: string | undefined;
}

export type LadderSignal = 'SIGINT' | 'SIGTERM' | 'SIGKILL';

export interface EndProcesses {
  readonly marker: string;
  readonly recorded: readonly RecordedChild[];
  /** `moment()` of the table when the job was claimed: what began before is not the job's. */
  readonly startedAfter?: string | undefined;
  /** From the first signal to SIGTERM. */
  readonly graceMs: number;
  /** The first step to take; default SIGINT. */
  readonly first?: LadderSignal;
  /** Aborting it ends the grace at once. */
  readonly hurry?: AbortSignal;
}

export interface EndedProcesses {
  /** Pids that were signalled and are gone. */
  readonly ended: readonly number[];
  /** Pids that are still there after all of it, such as one that became another user's. */
  readonly remaining: readonly number[];
}

export interface LadderSeams {
  readonly table: ProcessTable;
  readonly ownPid: number;
  /** Sends a signal to a pid, or to the group `-pid`; answers whether it could. */
  readonly send: (pid: number, signal: LadderSignal | 'SIGCONT') => boolean;
  readonly wait: (delayMs: number, hurry?: AbortSignal) => Promise<void>;
  readonly monotonicMs: () => number;
}

/** From SIGTERM to SIGKILL. */
const TERMINATE_MS = 1000;
/** From the first SIGKILL until what is left is told as remaining. */
const SWEEP_MS = 3000;
/**
 * A shell that begins a program may lose an interrupt for it (dash does, between `vfork` and `exec`): who was told as young as
 * this, and is there so much later, is told once more. Nothing so young has work that a second one could spoil.
 */
const YOUNG_MS = 100;
const TOLD_AGAIN_MS = 500;
const FIRST_LOOK_MS = 10;
const SLOWEST_LOOK_MS = 100;
/** So often a look that found nobody, but can't be sure, is followed by another one. */
const DOUBTS_AT_MOST = 8;
const DOUBT_LOOK_MS = 2;

export async function climb(seams: LadderSeams, order: EndProcesses): Promise<EndedProcesses> {
  const hunt = new Hunt(seams, order);
  const steps: [LadderSignal, number][] = [
    ['SIGINT', order.graceMs],
    ['SIGTERM', Math.min(TERMINATE_MS, order.graceMs)],
    ['SIGKILL', SWEEP_MS],
  ];
  const from = steps.findIndex(([signal]) => signal === (order.first ?? 'SIGINT'));
  for (const [signal, forMs] of steps.slice(from)) {
    if (await hunt.step(signal, forMs)) break;
  }
  return hunt.result();
}

class Hunt {
  readonly #seams: LadderSeams;
  readonly #order: EndProcesses;
  /** Found at any look: start time by pid. */
  readonly #known = new Map<number, string>();
  readonly #signalled = new Set<number>();
  #alive: readonly ProcessFacts[] = [];
  #doubtful = false;

  constructor(seams: LadderSeams, order: EndProcesses) {
    this.#seams = seams;
    this.#order = order;
  }

  /** Signals whoever is found, each once or twice (SIGKILL at every look), until nobody is left or the time is up. */
  async step(signal: LadderSignal, forMs: number): Promise<boolean> {
    const { monotonicMs, wait } = this.#seams;
    const hurry = signal === 'SIGKILL' ? undefined : this.#order.hurry;
    const until = monotonicMs() + forMs;
    /** When each, by pid, is to be told the next time. */
    const nextMs = new Map<number, number>();
    let doubts = 0;
    for (let pauseMs = FIRST_LOOK_MS; ; pauseMs = Math.min(pauseMs * 2, SLOWEST_LOOK_MS)) {
      this.#alive = await this.#look(signal);
      if (this.#alive.length === 0) {
        if (!this.#doubtful || ++doubts > DOUBTS_AT_MOST) return true;
        pauseMs = FIRST_LOOK_MS;
        await wait(DOUBT_LOOK_MS);
        continue;
      }
      doubts = 0;
      const nowMs = monotonicMs();
      const targets = this.#alive.filter(({ pid }) => signal === 'SIGKILL' || (nextMs.get(pid) ?? 0) <= nowMs);
      this.#signal(signal, targets);
      for (const target of targets) {
        const again = !nextMs.has(target.pid) && this.#isYoung(target);
        nextMs.set(target.pid, again ? nowMs + TOLD_AGAIN_MS : Number.POSITIVE_INFINITY);
      }
      const leftMs = until - nowMs;
      if (hurry?.aborted || leftMs <= 0) return false;
      await wait(Math.min(pauseMs, leftMs), hurry);
    }
  }

  #isYoung(one: ProcessFacts): boolean {
    return (this.#seams.table.ageMs?.(one) ?? Number.POSITIVE_INFINITY) <= YOUNG_MS;
  }

  async result(): Promise<EndedProcesses> {
    const remaining = (this.#alive.length === 0 ? [] : await this.#look()).map((target) => target.pid);
    return { ended: [...this.#signalled].filter((pid) => !remaining.includes(pid)), remaining };
  }

  #signal(signal: LadderSignal, targets: readonly ProcessFacts[]): void {
    const { send, table } = this.#seams;
    const groups = new Set<number>();
    for (const { pid, started, group } of targets) {
      // The look is a moment old: believe the pid only while it still is the same process.
      if (table.find(pid)?.started !== started) continue;
      if (group === pid && send(-pid, signal)) groups.add(pid);
    }
    for (const { pid, started, group } of targets) {
      // A program may take a second SIGINT for impatience: who got it through its group gets no other.
      if (groups.has(group) || (table.find(pid)?.started === started && send(pid, signal))) this.#signalled.add(pid);
      // A stopped process takes no signal but SIGKILL before it goes on.
      if (signal !== 'SIGKILL' && table.find(pid)?.started === started) send(pid, 'SIGCONT');
    }
  }

  async #look(signal?: LadderSignal): Promise<readonly ProcessFacts[]> {
    const { everyone, marked, doubtful } = await this.#survey(signal);
    // Who was found and is gone again may have passed itself on.
    this.#doubtful = doubtful || marked.length > 0;
    const byPid = new Map(everyone.map((one) => [one.pid, one]));
    const spared = ancestors(byPid, this.#seams.ownPid);
    const candidates = everyone.filter((one) => !spared.has(one.pid) && !isDead(one) && this.#isAfterClaim(one));
    const all = new Set(candidates);
    for (const one of marked) if (all.has(one)) this.#known.set(one.pid, one.started);
    for (const one of candidates) if (this.#isRecorded(one, byPid)) this.#known.set(one.pid, one.started);
    this.#addDescendants(candidates, byPid);
    return candidates.filter((one) => this.#known.get(one.pid) === one.started && this.#seams.table.isOwn(one.pid));
  }

  async #survey(signal: LadderSignal | undefined): Promise<Survey> {
    const { table } = this.#seams;
    const entry = `${MARKER_VARIABLE}=${this.#order.marker}`;
    if (table.survey !== undefined) {
      // By the end of the look it may have passed itself on: what is to be killed is killed when it is seen.
      const kill = signal === 'SIGKILL' ? (one: ProcessFacts) => this.#kill(one) : () => {};
      return table.survey(entry, this.#order.startedAfter, kill);
    }
    const everyone = await table.list();
    const candidates = everyone.filter((one) => !isDead(one) && this.#isAfterClaim(one));
    return { everyone, marked: await table.withEntry(candidates, entry), doubtful: false };
  }

  #kill(one: ProcessFacts): void {
    const { send, table, ownPid } = this.#seams;
    if (one.pid === ownPid || isDead(one) || !this.#isAfterClaim(one) || !table.isOwn(one.pid)) return;
    if (one.group === one.pid) send(-one.pid, 'SIGKILL');
    if (send(one.pid, 'SIGKILL')) this.#signalled.add(one.pid);
  }

  #isAfterClaim(one: ProcessFacts): boolean {
    return this.#order.startedAfter === undefined || this.#seams.table.beganSince(one, this.#order.startedAfter);
  }

  /** A recorded child, or one in the group or session that a recorded child began. */
  #isRecorded(one: ProcessFacts, byPid: ReadonlyMap<number, ProcessFacts>): boolean {
    return this.#order.recorded.some(({ pid, started }) => {
      if (started === undefined) return false;
      if (one.pid === pid) return one.started === started;
      if (one.group !== pid && one.session !== pid) return false;
      const leader = byPid.get(pid);
      // While its group or session lives, a pid is not given away: a leader of another start time means that ours is over.
      return leader === undefined ? this.#order.startedAfter !== undefined : leader.started === started;
    });
  }

  #addDescendants(candidates: readonly ProcessFacts[], byPid: ReadonlyMap<number, ProcessFacts>): void {
    for (let grew = true; grew; ) {
      grew = false;
      for (const one of candidates) {
        const parent = byPid.get(one.parent);
        if (this.#known.has(one.pid) && this.#known.get(one.pid) === one.started) continue;
        if (parent === undefined || this.#known.get(parent.pid) !== parent.started) continue;
        this.#known.set(one.pid, one.started);
        grew = true;
      }
    }
  }
}

function ancestors(byPid: ReadonlyMap<number, ProcessFacts>, ownPid: number): Set<number> {
  const chain = new Set<number>([1]);
  for (
    let pid: number | undefined = ownPid;
    pid !== undefined && pid > 0 && !chain.has(pid);
    pid = byPid.get(pid)?.parent
  )
    chain.add(pid);
  return chain;
}

function isDead(one: ProcessFacts): boolean {
  return one.state === 'Z' || one.state === 'X';
}

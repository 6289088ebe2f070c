/**
 * The simulated machine: one disk, one time, one lock, its processes, and the calls that wait. It decides nothing by
 * itself (`run.ts` does); it knows what faults are armed, lets calls meet them, and judges what must never be done.
 */
import type { DiskCall } from '../support/memory-disk.js';
import { MemoryDisk } from '../support/memory-disk.js';
import { whyNoCut, whyNoRemoval, whyNoRename } from './checker/judge-files.js';
import { judgeOpened } from './checker/judge-opened.js';
import type { SegmentFiles } from './checker/ledger-text.js';
import { Violation, type Witness } from './checker/witness.js';
import type { Coverage } from './coverage.js';
import type { Dice } from './dice.js';
import type { Armed, Happening } from './faults.js';
import { rowOf } from './faults.js';
import { LockTable } from './folder-lock.js';
import { LEDGER, ledgerFiles } from './places.js';
import type { SimulatedProcess } from './process.js';
import type { Fate } from './process-disk.js';
import type { RunPlan } from './run-plan.js';
import type { Trace } from './trace.js';
import { WorldTime } from './world-time.js';

export interface Parked {
  readonly process: SimulatedProcess;
  readonly call: DiskCall | undefined;
  readonly go: () => void;
}

export class World {
  disk: MemoryDisk;
  readonly time = new WorldTime();
  readonly lock = new LockTable();
  readonly witness: Witness;
  readonly dice: Dice;
  readonly plan: RunPlan;
  readonly coverage: Coverage;
  readonly trace: Trace;
  processes: SimulatedProcess[] = [];
  parked: Parked[] = [];
  armed: Armed[] = [];
  boot = 1;
  diskFull = false;
  /** What somebody did to the files from outside and has not put right. */
  tampered: { readonly what: string; readonly restore: () => void } | undefined;
  /** The way it ends, until the run has dealt with it. */
  crashed: 'kill' | 'power' | undefined;
  violation: Violation | undefined;
  /** A call met a fault that asks for this. */
  wanted: 'second writer' | 'pause' | undefined;
  #crashing: 'kill' | 'power' = 'kill';
  #meeting: SimulatedProcess | undefined;

  constructor(parts: Pick<World, 'witness' | 'dice' | 'plan' | 'coverage' | 'trace'>) {
    this.disk = new MemoryDisk();
    this.witness = parts.witness;
    this.dice = parts.dice;
    this.plan = parts.plan;
    this.coverage = parts.coverage;
    this.trace = parts.trace;
  }

  note(text: string): void {
    this.trace.note(text);
  }
  happens(what: Happening): void {
    this.coverage.happens(what);
    this.note(`- ${what}`);
  }
  violated(what: string): void {
    this.violation ??= new Violation(what);
  }
  /** Runs a judgement, whose violation ends the run. */
  judge<Value>(work: () => Value): Value | undefined {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      this.violation ??= error;
      return undefined;
    }
  }
  get living(): SimulatedProcess[] {
    return this.processes.filter((process) => !process.isOver);
  }
  files(): SegmentFiles {
    return ledgerFiles(this.disk);
  }

  // ------------------------------------------------------------------------------------------------------- the calls
  park(process: SimulatedProcess, call: DiskCall | undefined, go: () => void): void {
    if (!process.isOver) this.parked.push({ process, call, go });
  }

  /** Which armed fault a call meets, if any. */
  meet(process: SimulatedProcess, call: DiskCall, path: string, grows: boolean): Fate {
    this.note(`${process.name} ${call} ${path}`);
    if (this.diskFull && grows && (call === 'open' || call === 'write' || call === 'makeFolder' || call === 'link')) {
      process.excuses++;
      return { fault: { call, errno: 'ENOSPC', takenBytes: call === 'write' ? this.dice.int(700) : 0 } };
    }
    const struck = this.#strike(process, call, grows);
    if (struck === undefined) return {};
    this.coverage.meets(rowOf(struck), call);
    this.note(`! ${process.name} meets ${rowOf(struck)} at ${call} ${path}`);
    if (struck.kind !== 'crash') process.excuses++;
    return this.#fateOf(struck, process, call);
  }

  #strike(process: SimulatedProcess, call: DiskCall, grows: boolean): Armed | undefined {
    for (const fault of this.armed) {
      if (fault.call !== call) continue;
      if (fault.kind === 'crash' && fault.phase !== process.phaseOfFaults) continue;
      if (fault.kind === 'error' && call === 'open' && !grows && fault.errno !== 'EIO' && fault.errno !== 'EMFILE')
        continue;
      if (--fault.left > 0) continue;
      this.armed = this.armed.filter((one) => one !== fault);
      return fault;
    }
    return undefined;
  }

  #fateOf(fault: Armed, process: SimulatedProcess, call: DiskCall): Fate {
    switch (fault.kind) {
      case 'crash':
        this.#crashing = fault.end;
        this.#meeting = process;
        return { crash: fault.side };
      case 'short write':
        return { fault: { call, takenBytes: 1 + this.dice.int(120) } };
      case 'failed sync':
        return { fault: { call, errno: 'EIO', failedSync: fault.how } };
      case 'error': {
        const takenBytes = call === 'write' ? Math.floor((fault.takenPart ?? 0) * 600) : 0;
        return {
          fault: { call, errno: fault.errno, takenBytes, failedSync: this.dice.pick(['clean', 'reverted', 'once']) },
        };
      }
      default:
        this.wanted = fault.kind;
        this.#meeting = process;
        return {};
    }
  }

  /** The process that met the last crash or wish. */
  get meeting(): SimulatedProcess | undefined {
    return this.#meeting;
  }

  /** Ends the process that met the crash, or all of them; what becomes of the disk the run decides. */
  crash(end: 'kill' | 'power' = this.#crashing, process = this.#meeting): void {
    if (process?.phase === 'opening') this.happens('crash in recovery');
    const ending = end === 'power' ? this.living : this.living.filter((one) => one === process);
    for (const one of ending) this.end(one);
    this.crashed = end;
    this.note(`! ${end}`);
  }

  end(process: SimulatedProcess): void {
    process.lastAwakeMs = this.renewedAtMs(process);
    process.die();
    this.parked = this.parked.filter((one) => one.process !== process);
  }

  /** When a process last could renew its lock. */
  renewedAtMs(process: SimulatedProcess): number {
    if (process.isOver) return process.lastAwakeMs;
    return process.isPaused ? process.pausedAtMs : this.time.monotonicMs;
  }

  // ---------------------------------------------------------------------------------------------------- what is told
  opened(process: SimulatedProcess): void {
    this.note(`${process.name} serves`);
    this.#judgeTakeover(process);
    const kernel = process.kernel;
    if (kernel?.health().verifiedThroughSeq !== undefined) this.happens('verified behind');
    if (kernel === undefined || this.tampered !== undefined) return;
    this.judge(() => judgeOpened(this, process, kernel));
  }

  /** Who is proven dead makes nobody wait; who lives lets nobody in beside it. */
  #judgeTakeover(process: SimulatedProcess): void {
    // Without `run/` nobody is known.
    if (!this.plan.guarded || this.everTampered) return;
    const { predecessor, namespace, boot } = process;
    const near = (other: SimulatedProcess): boolean => other.namespace === namespace && other.boot === boot;
    if (predecessor?.hasServed && near(predecessor)) {
      this.happens('dead owner met');
      // Whoever lived beside it may have put its own name into the lock's record.
      if (process.waits > 0 && process.excuses === 0 && predecessor.excuses === 0)
        this.violated(`${process.name} waited for the lock of ${predecessor.name}, which was dead`);
    }
    const beside = this.living.find(
      (one) => one !== process && one.phase === 'serving' && one.stopped === undefined && near(one),
    );
    const noticed = beside?.ledger?.health().writable === false;
    if (beside !== undefined && !noticed && Number(beside.started) < Number(process.started))
      this.violated(`${process.name} opened beside ${beside.name}, which lives and writes`);
  }

  stopped(process: SimulatedProcess, reason: string): void {
    this.note(`${process.name} stopped: ${reason}`);
    if (process.excuses === 0 && this.tampered === undefined && !this.everTampered)
      this.violated(`${process.name} stopped without a fault: ${reason}`);
  }

  refused(process: SimulatedProcess, error: unknown): void {
    this.note(`${process.name} was refused: ${String(error)}`);
    const pid = (error as { details?: { pid?: number } }).details?.pid;
    if (pid !== undefined) {
      this.happens('living owner met');
      if (!this.living.some((one) => one.pid === pid && one.namespace === process.namespace))
        this.violated(`${process.name} was turned away for the sake of pid ${pid}, which does not live`);
    }
    if (process.excuses === 0 && this.tampered === undefined && !this.everTampered)
      this.violated(`${process.name} could not open, without a fault: ${String(error)}`);
  }

  everTampered = false;

  // ------------------------------------------------------------------------------------------------- what nobody does
  judgeCut(path: string, sizeBytes: number): void {
    // The header that seals may be what somebody has just taken away.
    if (!path.startsWith(LEDGER) || this.tampered !== undefined) return;
    const why = whyNoCut(this.disk, this.witness, path, sizeBytes);
    if (why !== undefined) this.violated(why);
  }
  judgeRemoval(path: string): void {
    const why = whyNoRemoval(path);
    if (why !== undefined) this.violated(why);
  }
  judgeRename(from: string, to: string): void {
    const why = whyNoRename(this.disk, this.witness, from, to);
    if (why !== undefined) this.violated(why);
  }
}

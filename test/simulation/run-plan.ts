/** What kind of run a seed makes: how many writers, what guards them, how large things are, what may go wrong. */

import { limits } from '../../lib/base/limits.js';
import type { DiskCall } from '../support/memory-disk.js';
import type { Dice } from './dice.js';
import { type Armed, callsOfErrno, callsOfPhase, errnos, failedSyncs, type Phase, waitingCalls } from './faults.js';

export interface RunPlan {
  /** Lock and process facts work; otherwise everybody is let in and takes everybody else for dead. */
  readonly guarded: boolean;
  /** Daemons that may live at once. */
  readonly writers: number;
  readonly lockStaleMs: number;
  readonly segmentBytes: number;
  /** What a checkpoint covers is verified before a daemon serves, or behind. */
  readonly verifiedAtOnceBytes: number;
  /** An opening that took in so many events leaves a checkpoint a little later. */
  readonly checkpointAfterEvents: number;
  readonly payloadBytes: number;
  /** Crashes of the run. */
  readonly crashes: number;
  /** How likely a life meets an error of the disk. */
  readonly errors: number;
  /** How likely a life is tampered with from outside. */
  readonly tampering: number;
}

export function drawPlan(dice: Dice): RunPlan {
  const guarded = dice.maybe(0.5);
  return {
    guarded,
    writers: dice.weighted([
      [4, 1],
      [3, 2],
      [guarded ? 0 : 2, 3],
    ]),
    lockStaleMs: 3_000,
    segmentBytes: dice.pick([2_000, 5_000, 100_000]),
    verifiedAtOnceBytes: dice.pick([0, limits.verifiedAtOnceBytes]),
    checkpointAfterEvents: dice.pick([3, limits.checkpointAfterEvents]),
    payloadBytes: dice.pick([20, 200, 900]),
    crashes: 3 + dice.int(4),
    errors: dice.pick([0, 0.7, 1]),
    tampering: dice.pick([0, 0.3, 0.8]),
  };
}

/** How many calls of a kind a life makes, more or less: so that the n-th is found in most of them. */
const usualCounts: Readonly<Record<Phase, Readonly<Partial<Record<DiskCall, number>>>>> = {
  opening: {
    facts: 60,
    syncFolder: 14,
    read: 16,
    open: 14,
    close: 12,
    list: 4,
    write: 5,
    datasync: 5,
    link: 2,
    remove: 2,
  },
  serving: { facts: 20, write: 8, datasync: 8, syncFolder: 2, open: 2, close: 2, read: 2, rename: 2 },
};

function drawNth(dice: Dice, call: DiskCall, phase: Phase): number {
  return 1 + dice.int(usualCounts[phase][call] ?? 1);
}

export function drawCrash(dice: Dice): Armed {
  const phase = dice.maybe(0.5) ? 'opening' : 'serving';
  // Most often at the calls that promises hang on, sometimes at any.
  const call = dice.maybe(0.4)
    ? dice.pick(['write', 'datasync', 'syncFolder', 'link', 'truncate', 'rename'] as const)
    : dice.pick(callsOfPhase[phase]);
  return {
    kind: 'crash',
    end: dice.maybe(0.6) ? 'power' : 'kill',
    side: dice.maybe(0.5) ? 'before' : 'after',
    phase,
    call,
    left: drawNth(dice, call, phase),
  };
}

const rareCalls: ReadonlySet<DiskCall> = new Set(['truncate', 'makeFolder', 'realPath']);

export function isRare({ call }: Armed): boolean {
  return rareCalls.has(call);
}

/** A fault for a call that few lives make. */
export function drawRare(dice: Dice): Armed {
  const call = dice.pick(['truncate', 'truncate', 'truncate', 'truncate', 'makeFolder', 'realPath'] as const);
  const common = { call, left: 1 };
  if (dice.maybe(0.2))
    return { ...common, kind: 'error', errno: call === 'realPath' ? 'EIO' : dice.pick(['EIO', 'EROFS']) };
  if (dice.maybe(0.2)) return dice.maybe(0.5) ? { ...common, kind: 'pause' } : { ...common, kind: 'second writer' };
  return {
    ...common,
    kind: 'crash',
    end: dice.pick(['power', 'kill']),
    side: dice.pick(['before', 'after']),
    phase: call === 'realPath' ? 'opening' : dice.pick(['opening', 'serving', 'serving']),
  };
}

export function drawError(dice: Dice): Armed {
  // An opening writes and syncs some five times before it serves.
  const left = 1 + dice.int(12);
  switch (dice.int(6)) {
    case 0:
      return { kind: 'short write', call: 'write', left };
    case 1:
      return { kind: 'failed sync', how: dice.pick(failedSyncs), call: 'datasync', left };
    case 2:
    case 3: {
      const call = dice.pick(waitingCalls);
      const left = drawNth(dice, call, dice.pick(['opening', 'serving']));
      return dice.maybe(0.5) ? { kind: 'second writer', call, left } : { kind: 'pause', call, left };
    }
    default: {
      // Most calls can meet this one alone.
      const errno = dice.maybe(0.4) ? 'EIO' : dice.pick(errnos);
      const call = dice.pick(callsOfErrno[errno]);
      return {
        kind: 'error',
        errno,
        call,
        left: drawNth(dice, call, dice.pick(['opening', 'serving'])),
        takenPart: dice.unit(),
      };
    }
  }
}

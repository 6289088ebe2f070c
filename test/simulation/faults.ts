/**
 * What can go wrong at a call of the disk, and which fault can meet which call. The table of coverage is made from this
 * one list: a fault that is listed for a call and never met it is a hole.
 */
import type { DiskCall } from '../support/memory-disk.js';

export const calls: readonly DiskCall[] = [
  'open',
  'write',
  'read',
  'datasync',
  'truncate',
  'close',
  'list',
  'facts',
  'makeFolder',
  'syncFolder',
  'link',
  'rename',
  'remove',
  'realPath',
];

export type Phase = 'opening' | 'serving';
export type End = 'kill' | 'power';
export type Side = 'before' | 'after';

export const errnos = ['EIO', 'ENOSPC', 'EDQUOT', 'EROFS', 'EMFILE'] as const;
export type Errno = (typeof errnos)[number];
export const failedSyncs = ['clean', 'reverted', 'once'] as const;

/** One fault that waits for its call. */
export type Armed =
  | {
      readonly kind: 'crash';
      readonly end: End;
      readonly side: Side;
      readonly phase: Phase;
      readonly call: DiskCall;
      left: number;
    }
  | {
      readonly kind: 'error';
      readonly errno: Errno;
      readonly call: DiskCall;
      readonly takenPart?: number;
      left: number;
    }
  | {
      readonly kind: 'failed sync';
      readonly how: (typeof failedSyncs)[number];
      readonly call: 'datasync';
      left: number;
    }
  | { readonly kind: 'short write'; readonly call: 'write'; left: number }
  | { readonly kind: 'second writer'; readonly call: DiskCall; left: number }
  | { readonly kind: 'pause'; readonly call: DiskCall; left: number };

const changing: readonly DiskCall[] = ['open', 'write', 'truncate', 'makeFolder', 'link', 'rename', 'remove'];
const growing: readonly DiskCall[] = ['open', 'write', 'datasync', 'makeFolder', 'link', 'rename'];

/** The calls that an error can come from. */
export const callsOfErrno: Readonly<Record<Errno, readonly DiskCall[]>> = {
  EIO: calls,
  ENOSPC: growing,
  EDQUOT: growing,
  EROFS: changing,
  EMFILE: ['open', 'list'],
};

/** Calls that are made while a ledger serves and closes; the real path is asked for at the start alone. */
export const callsOfPhase: Readonly<Record<Phase, readonly DiskCall[]>> = {
  opening: calls,
  serving: calls.filter((call) => call !== 'realPath'),
};

/** Calls that answer later, so that others may act while they are under way. */
export const waitingCalls: readonly DiskCall[] = calls.filter((call) => call !== 'write' && call !== 'facts');

/** The row of a fault in the table of coverage. */
export function rowOf(fault: Armed): string {
  switch (fault.kind) {
    case 'crash':
      return `${fault.end} ${fault.side}, ${fault.phase}`;
    case 'error':
      return fault.errno;
    case 'failed sync':
      return `failed sync, ${fault.how}`;
    default:
      return fault.kind;
  }
}

/** Every row with the calls that it has to meet. */
export function rows(): Map<string, readonly DiskCall[]> {
  const table = new Map<string, readonly DiskCall[]>();
  for (const phase of ['opening', 'serving'] as const)
    for (const end of ['kill', 'power'] as const)
      for (const side of ['before', 'after'] as const) table.set(`${end} ${side}, ${phase}`, callsOfPhase[phase]);
  table.set('short write', ['write']);
  for (const how of failedSyncs) table.set(`failed sync, ${how}`, ['datasync']);
  for (const errno of errnos) table.set(errno, callsOfErrno[errno]);
  table.set('second writer', waitingCalls);
  table.set('pause', waitingCalls);
  return table;
}

/** What happens beside the calls. */
export const happenings = [
  'segment removed',
  'segment replaced',
  'segment cut',
  'segment grown',
  'segment linked',
  'run folder removed',
  'lock stolen',
  'disk full for a while',
  'suspend',
  'clock step',
  'client vanished',
  'late result',
  'clean stop',
  'flipped bit',
  'zeroed sector',
  'sealed segment cut',
  'middle segment removed',
  'older state',
  'clone came back',
  'two heads',
  'checkpoint spoiled',
  'opened twice',
  'verified behind',
  'living owner met',
  'dead owner met',
  'crash in recovery',
  'segment ended',
] as const;
export type Happening = (typeof happenings)[number];

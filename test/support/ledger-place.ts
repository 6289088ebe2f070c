/** A repository with a home of its own in temporary folders, and ledgers opened there. */
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../../lib/base/clock.js';
import type { LedgerEvent } from '../../lib/model/event.js';
import type { Disk } from '../../lib/storage/disk.js';
import { type FileLedgerOptions, type OpenedLedger, openFileLedger } from '../../lib/storage/file-ledger.js';
import { type Home, openHome } from '../../lib/storage/home.js';
import { type Layout, layoutOf } from '../../lib/storage/layout.js';
import { noLock } from '../../lib/storage/lock.js';
import { createNodeClock } from '../../lib/storage/node-clock.js';
import { createNodeDisk } from '../../lib/storage/node-disk.js';
import { createNodeRandom } from '../../lib/storage/node-random.js';
import type { ProcessFacts } from '../../lib/storage/process-facts.js';

export interface LedgerPlace {
  readonly root: string;
  readonly state: string;
  readonly home: Home;
  readonly layout: Layout;
  /** Opens a ledger as a process of its own would: whoever opened before counts as dead. */
  open(more?: Partial<FileLedgerOptions>): Promise<Opened>;
  remove(): Promise<void>;
}

export interface Opened extends OpenedLedger {
  readonly replayed: LedgerEvent[];
  readonly durable: LedgerEvent[];
  readonly stopped: string[];
  readonly said: string[];
  discards: number;
}

export async function makeLedgerPlace(): Promise<LedgerPlace> {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'agentopsd-')));
  const state = await realpath(await mkdtemp(join(tmpdir(), 'agentopsd-')));
  const home = await openHome({
    disk: createNodeDisk(),
    random: createNodeRandom(),
    root,
    env: { AGENTOPSD_STATE_DIR: state },
  });
  const opened: Opened[] = [];
  return {
    root,
    state,
    home,
    layout: layoutOf(root),
    async open(more = {}) {
      const one = await openAs({ disk: createNodeDisk(), clock: createNodeClock(), root, home, ...more });
      opened.push(one);
      return one;
    },
    async remove() {
      for (const { ledger } of opened) await ledger.close().catch(() => undefined);
      await rm(root, { recursive: true, force: true });
      await rm(state, { recursive: true, force: true });
    },
  };
}

/** Opens with everything that happens written down. */
export async function openAs(
  options: { disk: Disk; clock: Clock; root: string; home: Home } & Partial<FileLedgerOptions>,
): Promise<Opened> {
  const seen = {
    replayed: [] as LedgerEvent[],
    durable: [] as LedgerEvent[],
    stopped: [] as string[],
    said: [] as string[],
    discards: 0,
  };
  const opened: OpenedLedger = await openFileLedger({
    random: createNodeRandom(),
    lock: noLock,
    facts: strangers(),
    progress: (text) => seen.said.push(text),
    observer: {
      onReplayed: (event) => seen.replayed.push(event),
      onDurable: (events) => seen.durable.push(...events),
      onDiscarded: () => {
        seen.discards += 1;
      },
      onStopped: (reason) => seen.stopped.push(reason),
    },
    ...options,
  });
  return Object.assign(seen, opened);
}

let processes = 0;

/** Facts under which everybody who opened before is dead. */
export function strangers(): ProcessFacts {
  const pid = 1_000_000 + ++processes;
  return {
    self: () => ({ pid, started: String(pid), bootId: 'boot', pidNamespace: 'namespace' }),
    lookUp: () => undefined,
  };
}

export function eventOf(seq: number, more: Partial<LedgerEvent> = {}): LedgerEvent {
  return {
    schema_version: 1,
    event_id: `evt_test.happened_job_${seq}`,
    request_id: `req_${seq}`,
    job_id: 'job',
    event_type: 'test.happened',
    occurred_at: '2026-01-02T03:04:05.678Z',
    actor: 'test',
    payload: { number: seq },
    seq,
    ...more,
  };
}

/** `count` events from `fromSeq` on. */
export function eventsOf(fromSeq: number, count: number): LedgerEvent[] {
  return Array.from({ length: count }, (_, at) => eventOf(fromSeq + at));
}

export async function seqsOf(events: AsyncIterable<{ event: { seq: number } }>): Promise<number[]> {
  const seqs: number[] = [];
  for await (const { event } of events) seqs.push(event.seq);
  return seqs;
}

/** Waits until `holds` does, looking again after each turn of the event loop; fails after `deadlineMs`. */
export async function until(what: string, holds: () => boolean, deadlineMs = 5_000): Promise<void> {
  const end = performance.now() + deadlineMs;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`not within ${deadlineMs} ms: ${what}`);
    await new Promise((resume) => setTimeout(resume, 1));
  }
}

/** What is measured of every queue: the same work, the same lanes, each job durable before its caller goes on. */
import { median, percentile } from '../statistics.js';

/** One queue, set to force every job to the disk before it answers. */
export interface Peer {
  readonly name: string;
  /** Installs, starts and connects. @throws Error that says what could not be had */
  open(ground: PeerGround): Promise<OpenPeer>;
}

/** Where a peer is installed and runs: a temporary folder, which goes with all its processes. */
export interface PeerGround {
  readonly folder: string;
  /** Installs packages of npm for this peer alone; the answer imports one of them. */
  packages(names: readonly string[]): Promise<(name: string) => Promise<unknown>>;
  /** Of a package that was installed. */
  versionOf(name: string): Promise<string>;
  /** Fetches and unpacks packages of Debian; answers the folder that stands for `/`. */
  debs(names: readonly string[]): Promise<string>;
  /** Starts a server that is ended with the ground. */
  serve(program: string, args: readonly string[], how?: { uid?: number; libraries?: string }): Promise<void>;
  /** Runs to the end. @throws Error when it fails */
  run(program: string, args: readonly string[], how?: { uid?: number; libraries?: string }): Promise<void>;
  freePort(): Promise<number>;
}

export interface OpenPeer {
  readonly version: string;
  /** One lane's way in; resolves when the job is durable. */
  lane(): Promise<(id: number) => Promise<void>>;
  /** Takes jobs over `lanes`, one at a time each, and tells each that begins; its end is durable too. */
  work(lanes: number, onJob: (id: number) => void): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

export interface PeerFigures {
  readonly enqueuePerSecond1: number;
  readonly enqueuePerSecond64: number;
  readonly jobsPerSecond16: number;
  readonly pickUpP50Ms: number;
  readonly pickUpP99Ms: number;
}

const MANY_LANES = 64;
const WORK_LANES = 16;
export const PICK_UPS = 200;
/** Between two jobs on an idle queue. */
const PICK_UP_PAUSE_MS = 5;
/** The first part of the jobs warms the code up. */
const WARM_UP_PART = 0.3;
const DRAIN_DEADLINE_MS = 120_000;

export async function measurePeer(peer: OpenPeer, seconds: number): Promise<PeerFigures> {
  let next = 0;
  const enqueue = async (lanes: number): Promise<number> => {
    const ways = await Promise.all(Array.from({ length: lanes }, () => peer.lane()));
    const begun = performance.now();
    const endsAt = begun + seconds * 1000;
    let count = 0;
    await Promise.all(
      ways.map(async (put) => {
        while (performance.now() < endsAt) {
          await put(next++);
          count++;
        }
      }),
    );
    return (count / (performance.now() - begun)) * 1000;
  };
  await enqueue(MANY_LANES);
  const enqueuePerSecond1 = await enqueue(1);
  const enqueuePerSecond64 = await enqueue(MANY_LANES);
  const jobsPerSecond16 = await drain(peer, next);
  return { enqueuePerSecond1, enqueuePerSecond64, jobsPerSecond16, ...(await pickUp(peer, next)) };
}

async function drain(peer: OpenPeer, jobs: number): Promise<number> {
  const begunAt: number[] = [];
  let finish: () => void = () => {};
  const done = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const stop = await peer.work(WORK_LANES, () => {
    begunAt.push(performance.now());
    if (begunAt.length === jobs) finish();
  });
  const late = setTimeout(finish, DRAIN_DEADLINE_MS);
  await done;
  clearTimeout(late);
  await stop();
  const from = Math.floor(begunAt.length * WARM_UP_PART);
  const passedMs = (begunAt.at(-1) ?? Number.NaN) - (begunAt[from] ?? Number.NaN);
  return ((begunAt.length - 1 - from) / passedMs) * 1000;
}

/** From the answer to the caller to the start of the handler. */
async function pickUp(peer: OpenPeer, firstId: number): Promise<Pick<PeerFigures, 'pickUpP50Ms' | 'pickUpP99Ms'>> {
  const begun = new Map<number, (atMs: number) => void>();
  const stop = await peer.work(WORK_LANES, (id) => begun.get(id)?.(performance.now()));
  const put = await peer.lane();
  const waits: number[] = [];
  for (let id = firstId; id < firstId + PICK_UPS; id++) {
    const starts = new Promise<number>((resolve) => begun.set(id, resolve));
    await put(id);
    const answeredMs = performance.now();
    waits.push(Math.max(0, (await starts) - answeredMs));
    await new Promise((resume) => setTimeout(resume, PICK_UP_PAUSE_MS));
  }
  await stop();
  return { pickUpP50Ms: median(waits), pickUpP99Ms: percentile(waits, 0.99) };
}

/**
 * What opening takes in: the counted events, where they stand, and what they come to. In one of three ways, always with
 * the same outcome:
 *
 *   from a checkpoint   the newest one that has its place in the ledger; the events behind it are told. What it covers
 *                       is verified before anything is served, or afterwards where it is much (`behind.ts`)
 *   eagerly             events are told while they are verified, so that all is read and parsed once; what was told is
 *                       thrown away when not all of it holds
 *   in two passes       first what counts, then the events: with damage, with several ways through it, without a keeper
 *
 * A checkpoint is used in a ledger without damage and with one head alone. In any other everything is looked at.
 */
import { join } from 'node:path';
import type { FileSeams } from './atomic-file.js';
import type { CheckpointContents } from './checkpoint.js';
import { Checkpoints } from './checkpoints.js';
import { Condition } from './condition.js';
import { Eager } from './eager.js';
import { History, type HistorySegment } from './history.js';
import type { Home } from './home.js';
import type { KeptSegments } from './kept-segments.js';
import { holdsAnchored } from './lacking.js';
import type { LedgerObserver, ReplayedEvent } from './ledger.js';
import type { KnownSegment } from './mark.js';
import type { ReplayOptions, ReplayPlan } from './replay.js';
import { planReplay, replayBlocks } from './replay.js';

export interface OpeningOptions extends FileSeams {
  readonly home: Home;
  readonly kept: KeptSegments;
  readonly observer: Pick<LedgerObserver, 'onReplayed' | 'keeper'>;
  readonly progress: (text: string) => void;
  /** What lies before a checkpoint is verified at once up to this size. */
  readonly verifiedAtOnceBytes: number;
}

export interface TakenIn {
  readonly plan: ReplayPlan;
  readonly history: History;
  readonly condition: Condition;
  /** Undefined where nobody keeps the state. */
  readonly checkpoints: Checkpoints | undefined;
  /** `seq` of the checkpoint that it began from; 0 without. */
  readonly checkpointSeq: number;
  /** Whether what lies before the checkpoint still has to be verified. */
  readonly behindUnverified: boolean;
}

/** Opens every segment of the chain and tells every counted event that the observer's state does not hold yet, in order. */
export async function takeIn(source: ReplayOptions, options: OpeningOptions): Promise<TakenIn> {
  const { keeper } = options.observer;
  const checkpoints = keeper && new Checkpoints({ ...options, keeper });
  const taken = (await fromCheckpoint(source, options, checkpoints)) ?? (await fromTheBeginning(source, options));
  // What they cover may be what is damaged: the next opening has to see it as well.
  if (taken.plan.status === 'corrupt')
    await checkpoints?.removeAll().catch((error: unknown) => options.progress(`checkpoints stay: ${String(error)}`));
  return { ...taken, checkpoints };
}

type Taken = Omit<TakenIn, 'checkpoints'>;

async function fromCheckpoint(
  source: ReplayOptions,
  options: OpeningOptions,
  checkpoints: Checkpoints | undefined,
): Promise<Taken | undefined> {
  const found = await checkpoints?.newest((contents) => whyNotHere(contents, source));
  if (found === undefined) return undefined;
  const { contents, restoring } = found;
  const behindUnverified = isMuch(contents, options) && (await isBelievable(contents, source, options.home));
  const known = new Map(contents.chain.map((one) => [one.segment, one]));
  const plan = await planReplay(behindUnverified ? { ...source, known } : source);
  const why = whyNotIn(plan, contents.chain);
  if (why !== undefined) {
    options.progress(`the checkpoint at event ${contents.seq} is passed over: ${why}`);
    return undefined;
  }
  restoring.become();
  const { history, condition } = fresh();
  const segments = await openSegments(plan, options.kept);
  history.restore(contents.history, (name) => segments(name));
  condition.restore(contents.adopted);
  await tellRest(source, plan, contents.chain.length, into(options, history, condition, segments));
  return { plan, history, condition, checkpointSeq: contents.seq, behindUnverified };
}

async function fromTheBeginning(source: ReplayOptions, options: OpeningOptions): Promise<Taken> {
  const { keeper } = options.observer;
  const none = { checkpointSeq: 0, behindUnverified: false };
  if (keeper !== undefined) {
    const parts = fresh();
    const eager = new Eager(({ segments }) => into(options, parts.history, parts.condition, segments));
    const plan = await planReplay({ ...source, eager });
    if (eager.holds(plan)) {
      eager.bind(await openSegments(plan, options.kept));
      return { plan, ...parts, ...none };
    }
    keeper.restoring().become();
    return { plan, ...(await inTwoPasses(source, plan, options)), ...none };
  }
  const plan = await planReplay(source);
  return { plan, ...(await inTwoPasses(source, plan, options)), ...none };
}

async function inTwoPasses(
  source: ReplayOptions,
  plan: ReplayPlan,
  options: OpeningOptions,
): Promise<{ history: History; condition: Condition }> {
  const { history, condition } = fresh();
  const segments = await openSegments(plan, options.kept);
  await tellRest(source, plan, 0, into(options, history, condition, segments));
  return { history, condition };
}

function fresh(): { history: History; condition: Condition } {
  return { history: new History(), condition: new Condition() };
}

type SegmentOf = (name: string) => HistorySegment;

async function openSegments(plan: ReplayPlan, kept: KeptSegments): Promise<SegmentOf> {
  const segments = new Map<string, HistorySegment>();
  for (const link of plan.chain) segments.set(link.segment, await kept.open(link.segment, link.countedBytes));
  return (name) => segments.get(name) as HistorySegment;
}

function into(
  { observer }: OpeningOptions,
  history: History,
  condition: Condition,
  segmentOf: SegmentOf,
): (events: readonly ReplayedEvent[]) => void {
  let [name, place]: [string | undefined, HistorySegment | undefined] = [undefined, undefined];
  return (events) => {
    for (const { event, ours, segment, segmentLine, offset } of events) {
      if (place === undefined || segment !== name) [name, place] = [segment, segmentOf(segment)];
      history.add(place, event.seq, ours, segmentLine, offset);
      if (ours) condition.notice(event);
      observer.onReplayed(event, ours);
    }
  };
}

async function tellRest(
  source: ReplayOptions,
  plan: ReplayPlan,
  fromLink: number,
  take: (events: readonly ReplayedEvent[]) => void,
): Promise<void> {
  for await (const block of replayBlocks(source, plan, fromLink)) take(block);
}

function isMuch({ chain }: CheckpointContents, { verifiedAtOnceBytes }: OpeningOptions): boolean {
  return chain.reduce((sum, { end }) => sum + end.toByte, 0) > verifiedAtOnceBytes;
}

/** Whether nothing shows beforehand that what it covers is not what it was. */
function isBelievable(
  contents: CheckpointContents,
  { disk, ledgerFolder }: ReplayOptions,
  home: Home,
): Promise<boolean> {
  const history = new History();
  history.restore(contents.history, (name) => ({
    name,
    countedBytes: () => contents.chain.find(({ segment }) => segment === name)?.end.toByte ?? 0,
    open: async () => ({ file: await disk.open(join(ledgerFolder, name), 'read'), close: true }),
  }));
  return holdsAnchored(disk, home, { lastSeq: contents.seq, history });
}

/** By what can be seen without reading: spares the reading of what can't fit. */
function whyNotHere({ chain, seq }: CheckpointContents, { names }: ReplayOptions): string | undefined {
  const gone = chain.find(({ segment }) => names !== undefined && !names.includes(segment));
  return gone && `the ledger has no ${gone.segment}, and it stands at event ${seq} behind that`;
}

/** The checkpoint holds for a ledger that has the same line at the same place, and behind it nothing but new events. */
function whyNotIn(plan: ReplayPlan, chain: readonly KnownSegment[]): string | undefined {
  if (plan.status === 'corrupt') return 'the ledger is damaged';
  if (plan.twoHeads) return 'the ledger has two heads';
  const same = chain.every(({ segment, end }, at) => {
    const link = plan.chain[at];
    return link?.segment === segment && link.end.toByte === end.toByte && link.end.hash === end.hash;
  });
  return same ? undefined : 'the ledger has another line at its place';
}

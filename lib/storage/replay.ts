/**
 * The replay: what stands in the ledger, without a change to any file. First the plan (`planReplay`): heads, chain, torn
 * ends, damage; then the events that count (`replayEvents`). The files are read twice, but their lines parsed once: where
 * a segment is our own, hashes and one mac show that it is whole.
 *
 * With damage every event that can be read is kept, and each damaged line told once. Another process may append to the
 * head, or cut a torn end, while this reads: half a line at the end is not counted.
 */
import type { DamageRecord } from '../model/health.js';
import type { Chain, Link } from './chains.js';
import { chainOf, choose, countedFaults, linkFaultsOf } from './chains.js';
import { DamageBook } from './damage.js';
import { DiskError } from './disk.js';
import type { Gap, Way } from './heads.js';
import { waysOf } from './heads.js';
import type { ChainLink, ReplayOptions, ReplayPlan, TornEnd } from './replay-plan.js';
import { scanSegment } from './scan.js';
import type { SegmentFacts } from './segment-facts.js';
import { listSegments, readSegmentFacts } from './segment-facts.js';
import type { Survey } from './survey.js';
import { surveySegments } from './survey.js';

export type { ReplayedEvent } from './replay-events.js';
export { replayBlocks, replayEvents } from './replay-events.js';
export type { ChainLink, EagerSink, ReplayOptions, ReplayPlan, TornEnd } from './replay-plan.js';

const LISTINGS = 4;

/**
 * Finds the heads, the chain, torn ends and damage. Changes nothing.
 * @throws AgentopsdError `ledger_newer`, `ledger_unreadable`, `file_unsafe`; DiskError
 */
export async function planReplay(options: ReplayOptions): Promise<ReplayPlan> {
  if (options.names) return planOf(options, options.names);
  for (let listing = 1; ; listing++) {
    try {
      return await planOf(options, await listSegments(options.disk, options.ledgerFolder));
    } catch (error) {
      // A daemon that starts may set an empty segment aside between the listing and the reading.
      if (listing === LISTINGS || !(error instanceof DiskError) || error.errno !== 'ENOENT') throw error;
    }
  }
}

async function planOf(options: ReplayOptions, names: readonly string[]): Promise<ReplayPlan> {
  const facts: SegmentFacts[] = [];
  for (const name of names) facts.push(await readSegmentFacts(options.disk, options.ledgerFolder, name, options.home));
  const ways = waysOf(facts);
  const survey = await surveySegments(options, facts, ways);
  const chains = ways.map((way) => chainOf(way, survey.scanOf));
  const { chain, reasons } = choose(chains, facts, options.home);
  const damage = damageOf(chains, ways, survey);
  return {
    status: damage.length > 0 ? 'corrupt' : 'complete',
    twoHeads: reasons.length > 0,
    reasons,
    damage,
    chain: chain?.links.map((link) => linkFacts(link, survey)) ?? [],
    torn: await tornEnds(options, chains, chain),
    orphans: facts.filter((one) => isOrphan(one, chains)).map((one) => one.name),
    segments: names,
    highestSegmentNumber: Math.max(0, ...facts.map((one) => one.number)),
    claimsHeldThroughSeq: damage.length > 0 ? (chain?.lastSeq ?? 0) : 0,
    ...continuation(chain),
  };
}

/** Where the next writer goes on from. */
function continuation(
  chain: Chain | undefined,
): Pick<ReplayPlan, 'lastSeq' | 'lastEventId' | 'lastHash' | 'lastUnit' | 'after'> {
  const last = chain?.links.at(-1);
  return {
    lastSeq: chain?.lastSeq ?? 0,
    lastEventId: chain?.lastEventId,
    lastHash: last?.end.hash,
    lastUnit: chain && { segment: chain.head.name, ...chain.headLink.end.unit },
    after: last && { segment: last.facts.name, length: last.end.toByte },
  };
}

function isOrphan(facts: SegmentFacts, chains: readonly Chain[]): boolean {
  if (facts.firstEvent !== undefined || chains.some(({ links }) => links.some((link) => link.facts === facts)))
    return false;
  return facts.header === undefined || facts.own;
}

/** Of every head, and of our segment that the next header seals: an earlier seal may have left bytes behind it. */
async function tornEnds(
  options: ReplayOptions,
  chains: readonly Chain[],
  chain: Chain | undefined,
): Promise<TornEnd[]> {
  const torn = chains.flatMap(({ headLink: { facts, scan } }): TornEnd[] =>
    scan.tornFromByte === undefined
      ? []
      : [{ segment: facts.name, fromByte: scan.tornFromByte, toByte: scan.sizeBytes, ours: facts.own }],
  );
  const last = chain?.links.at(-1);
  if (last === undefined || !last.facts.own || last.end.toByte === last.scan.sizeBytes) return torn;
  if (torn.some((one) => one.segment === last.facts.name)) return torn;
  const fromByte = Math.max(last.end.toByte, await wholeToByte(options, last));
  return fromByte === last.scan.sizeBytes
    ? torn
    : [...torn, { segment: last.facts.name, fromByte, toByte: last.scan.sizeBytes, ours: true }];
}

async function wholeToByte(options: ReplayOptions, { facts, scan }: Link): Promise<number> {
  if (!scan.trusted) return scan.wholeToByte;
  const task = {
    disk: options.disk,
    facts,
    key: options.home?.key,
    wants: [],
    isHead: true,
    seqBefore: undefined,
    carefully: true,
  };
  return (await scanSegment(task)).wholeToByte;
}

function damageOf(chains: readonly Chain[], ways: readonly Way[], survey: Survey): DamageRecord[] {
  const book = new DamageBook(survey.firstLineNumbers);
  for (const chain of chains) {
    for (const link of chain.allLinks)
      for (const fault of countedFaults(link)) book.add(link.facts.name, fault.lineNumber, fault.error);
    for (const fault of linkFaultsOf(chain)) book.add(fault.facts.name, fault.lineNumber, fault.error);
  }
  for (const { missing, length, namedBy } of ways.flatMap((way) =>
    way.gaps.filter((gap) => !isMistaken(gap, way, survey)),
  )) {
    book.addMissing(missing, namedBy.name, `the segment is missing: ${namedBy.name} goes on from byte ${length} of it`);
  }
  return book.records();
}

/** The line that is meant stands in another segment: then the header names the wrong one, and is told for itself. */
function isMistaken({ guess, namedBy }: Gap, way: Way, survey: Survey): boolean {
  return guess !== undefined && survey.scanOf(guess).markOf(way)?.hash === namedBy.prevHash;
}

function linkFacts({ facts, scan, end }: Link, survey: Survey): ChainLink {
  return {
    segment: facts.name,
    path: facts.path,
    countedBytes: end.toByte,
    home: facts.home,
    ours: facts.own,
    firstLineNumber: survey.firstLineNumbers.get(facts.name) as number,
    firstSeq: end.lastSeq === undefined ? undefined : facts.firstEvent?.seq,
    lastSeq: end.lastSeq,
    reading: scan.trusted ? 'trusted' : 'checked',
    end,
    lineCount: scan.lineCount,
  };
}

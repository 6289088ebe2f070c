/**
 * The ways of `heads.ts` with what really stands there: how much of each segment counts, where a link does not hold, and
 * how two chains lie to each other.
 */
import type { Fault } from './fault.js';
import type { Way } from './heads.js';
import type { Mark, SegmentScan } from './mark.js';
import type { HomeKey, SegmentFacts } from './segment-facts.js';
import type { Survey } from './survey.js';

export interface Link {
  readonly facts: SegmentFacts;
  readonly scan: SegmentScan;
  /** Where what counts of the segment ends. */
  readonly end: Mark;
}

export interface Chain {
  readonly head: SegmentFacts;
  /** Oldest first; segments at the end that hold nothing but their header are left out. */
  readonly links: readonly Link[];
  /** With them: what the last of them seals has to be there. */
  readonly allLinks: readonly Link[];
  /** The head's own link, also when it is header-only. */
  readonly headLink: Link;
  readonly lastSeq: number;
  readonly lastEventId: string | undefined;
}

export function chainOf(way: Way, scanOf: Survey['scanOf']): Chain {
  const all = way.steps.map(({ facts, want }): Link => {
    const { scan, markOf } = scanOf(facts);
    return { facts, scan, end: (want && markOf(way)) ?? scan.end };
  });
  const links = all.slice();
  while (links.length > 0 && !holdsEvents(links.at(-1) as Link)) links.pop();
  const last = links.findLast((link) => link.end.lastSeq !== undefined)?.end;
  return {
    head: way.head,
    links,
    allLinks: all,
    headLink: all.at(-1) as Link,
    lastSeq: last?.lastSeq ?? 0,
    lastEventId: last?.lastEventId,
  };
}

/** Damaged lines count as events: they were some. */
function holdsEvents({ end, facts }: Link): boolean {
  return end.toByte > (facts.header === undefined ? 0 : (facts.firstLine?.toByte ?? 0));
}

/** Whether all that counts in `shorter` counts in `longer` too. */
export function isPrefix(shorter: Chain, longer: Chain): boolean {
  const [a, b] = [shorter, longer].map((chain) => chain.links.filter(holdsEvents)) as [Link[], Link[]];
  return a.length <= b.length && a.every((link, at) => fitsInto(link, b[at] as Link, at === a.length - 1));
}

function fitsInto(link: Link, other: Link, isLast: boolean): boolean {
  if (link.facts !== other.facts) return false;
  return isLast ? link.end.toByte <= other.end.toByte : link.end.toByte === other.end.toByte;
}

/** The ledger: the longest chain where all lie on one line, otherwise our own. */
export function choose(
  chains: readonly Chain[],
  all: readonly SegmentFacts[],
  home: HomeKey | undefined,
): { chain: Chain | undefined; reasons: string[] } {
  const newest = chains.reduce<Chain | undefined>(
    (best, one) => (best && best.head.number >= one.head.number ? best : one),
    undefined,
  );
  const own = chains.find((chain) => home !== undefined && chain.head.own) ?? newest;
  if (own === undefined) return { chain: undefined, reasons: [] };
  const twins = chains.flatMap((chain) => twinReason(chain, all) ?? []);
  if (twins.length > 0) return { chain: own, reasons: twins };
  const longest = chains.reduce((best, one) => (one.lastSeq > best.lastSeq ? one : best), own);
  const aside = chains.filter((chain) => !isPrefix(chain, longest));
  if (aside.length === 0) return { chain: longest, reasons: [] };
  const names = [...new Set([own, ...chains.filter((chain) => !isPrefix(chain, own))])].map((chain) => chain.head.name);
  const reason = `the ledger has two heads (${names.join(', ')}): it goes on from ${own.head.name}; what only the others hold is not shown`;
  return { chain: own, reasons: [reason] };
}

function twinReason(chain: Chain, all: readonly SegmentFacts[]): string | undefined {
  const { head } = chain;
  const twin = all.find(
    (facts) => facts !== head && facts.number === head.number && facts.home === head.home && facts.header !== undefined,
  );
  return twin && `the ledger has two heads: ${twin.name} and ${head.name} are of one home and have one number`;
}

/** What is wrong where a segment goes on from the one before. */
export interface LinkFault extends Omit<Fault, 'fromByte' | 'toByte' | 'kind'> {
  readonly facts: SegmentFacts;
}

export function linkFaultsOf({ allLinks }: Chain): LinkFault[] {
  return allLinks.slice(1).flatMap((link, at) => linkFault(allLinks[at] as Link, link) ?? []);
}

function linkFault(before: Link, link: Link): LinkFault | undefined {
  const after = link.facts.header?.after;
  if (after === undefined || after.segment !== before.facts.name) return undefined;
  const { end, facts } = before;
  // Where damage shifted the bytes the hash still tells that the same line is meant.
  if (end.hash === link.facts.prevHash) {
    if (end.committed && (end.toByte === after.length || countedFaults(before).length > 0)) return undefined;
    return {
      facts,
      lineNumber: end.lineNumber,
      error: `${link.facts.name} goes on from byte ${after.length}, in the midst of a batch`,
    };
  }
  if (hasFaultAt(before, end.lineNumber)) return undefined;
  if (end.toByte < after.length && !isNextSeq(end.lastSeq, link)) {
    const error = `the file ends at byte ${end.toByte}, but ${link.facts.name} goes on from byte ${after.length}`;
    return { facts, lineNumber: end.lineNumber + 1, error };
  }
  return altered(before, link);
}

function isNextSeq(lastSeq: number | undefined, link: Link): boolean {
  return lastSeq !== undefined && link.facts.firstEvent?.seq === lastSeq + 1;
}

/** The line does not hash to the `prev_hash` of the header behind it: which of the two was altered? */
function altered(before: Link, link: Link): LinkFault | undefined {
  if (hasFaultAt(link, 1)) return undefined;
  if (!link.facts.own && before.scan.trusted) {
    return {
      facts: link.facts,
      lineNumber: 1,
      error: `its prev_hash is not that of ${before.facts.name}:${before.end.lineNumber}`,
    };
  }
  const error = `its bytes do not hash to the prev_hash of the line behind it, the header of ${link.facts.name}`;
  return { facts: before.facts, lineNumber: before.end.lineNumber, error };
}

/** The faults in what counts of a segment. */
export function countedFaults({ scan, end }: Link): readonly Fault[] {
  return scan.faults.filter((fault) => fault.fromByte < end.toByte);
}

function hasFaultAt(link: Link, lineNumber: number): boolean {
  return countedFaults(link).some((fault) => fault.lineNumber === lineNumber);
}

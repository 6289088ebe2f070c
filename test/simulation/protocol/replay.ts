/**
 * The replay: what someone of a home finds in a set of segments. Each home's head is its highest segment; from there
 * the chain runs backwards over `after`. Chains on one line are one ledger; chains that part are two heads.
 */
import type { LineNumber } from './line.js';
import type { Protocol } from './protocol.js';
import { parseSegment, type Segment, type SegmentFile, type Unit } from './segment.js';

/** One segment of a chain, up to the unit that the next one goes on from. */
interface Link {
  readonly segment: Segment;
  readonly unit: Unit;
}

interface Chain {
  readonly head: Segment;
  readonly links: readonly Link[];
  readonly events: readonly LineNumber[];
}

export interface Replay {
  readonly status: 'ok' | 'two heads' | 'corrupt';
  /** What is wrong, for a status that is not ok. */
  readonly why: string;
  readonly events: readonly LineNumber[];
  /** The events of every head. */
  readonly heads: readonly (readonly LineNumber[])[];
  /** The chain that a new segment would go on from. */
  readonly links: readonly Link[];
}

const nothing: Replay = { status: 'ok', why: '', events: [], heads: [], links: [] };
const corrupt = (why: string): Replay => ({ ...nothing, status: 'corrupt', why });

/** @param home of the one who opens the ledger; it need not have a segment there */
export function replay(files: readonly SegmentFile[], home: number, protocol: Protocol): Replay {
  const valid: Segment[] = [];
  for (const file of files) {
    const parsed = parseSegment(file, protocol);
    if (parsed.header) valid.push(parsed);
    else if (parsed.linesFollow) return corrupt(`damaged header in ${parsed.name}`);
  }
  if (valid.length === 0) return nothing;
  const chains: Chain[] = [];
  for (const head of findHeads(valid, home, protocol)) {
    const chain = followChain(head, valid);
    if (typeof chain === 'string') return corrupt(chain);
    if (head.rest === 'bad') return corrupt(`bad bytes in ${head.name}`);
    chains.push(chain);
    const twin = valid.find((other) => other !== head && other.number === head.number && sameHome(other, head));
    if (twin) return twoHeads({ ...nothing, ...pick(chain) }, `two segments have the number ${twin.number}`);
  }
  return compareChains(chains, valid, home, protocol);
}

const sameHome = (a: Segment, b: Segment): boolean => a.header.home === b.header.home;
const pick = ({ events, links }: Chain): Pick<Replay, 'events' | 'heads' | 'links'> => ({
  events,
  heads: [events],
  links,
});
const twoHeads = (found: Replay, why: string): Replay => ({ ...found, status: 'two heads', why });

function findHeads(valid: readonly Segment[], home: number, { heads }: Protocol): Segment[] {
  const own = valid.filter((segment) => segment.header.home === home);
  if (heads === 'ourHome') return highestOf(own.length > 0 ? own : valid);
  if (heads === 'oneHead') return highestOf(valid);
  const homes = new Set(valid.map((segment) => segment.header.home));
  return [...homes].flatMap((each) => highestOf(valid.filter((segment) => segment.header.home === each)));
}

function highestOf(segments: readonly Segment[]): Segment[] {
  const [first, ...others] = segments;
  return first ? [others.reduce((a, b) => (b.number > a.number ? b : a), first)] : [];
}

/** Backwards from the head's last whole unit; a text where the chain is broken. */
function followChain(head: Segment, valid: readonly Segment[]): Chain | string {
  let link: Link = { segment: head, unit: head.whole };
  const links = [link];
  for (;;) {
    const { name, header } = link.segment;
    const { after, prev } = header;
    if (!after) return { head, links, events: links.flatMap(({ unit }) => unit.events) };
    const segment = valid.find((other) => other.name === after.segment);
    const unit = segment?.units.find(({ length }) => length === after.length);
    if (!segment || unit?.line !== prev) {
      return `${name} goes on from line ${after.length / 2} of ${after.segment}, which is not there`;
    }
    link = { segment, unit };
    links.unshift(link);
  }
}

function compareChains(chains: readonly Chain[], valid: readonly Segment[], home: number, { heads }: Protocol): Replay {
  const ours = chains.find(({ head }) => head.header.home === home) ?? newestOf(chains);
  const found = { ...nothing, ...pick(ours), heads: chains.map(({ events }) => events) };
  if (heads === 'ourHome') return judgeOffChain(found, valid, home);
  if (heads === 'noSeal') {
    const open = valid.find((segment) => segment.whole.length > countedLength(segment, ours));
    if (open) return twoHeads(found, `lines off the chain in ${open.name}`);
  }
  const longest = chains.reduce((a, b) => (b.events.length > a.events.length ? b : a), ours);
  if (chains.every(({ events }) => isPrefix(events, longest.events))) {
    return { ...found, events: longest.events, links: longest.links };
  }
  return twoHeads(found, `the chains of ${chains.map(({ head }) => head.name).join(' and ')} part`);
}

function newestOf(chains: readonly Chain[]): Chain {
  return chains.reduce((a, b) => (b.head.number > a.head.number ? b : a));
}

/** How much of a segment a chain counts; its header, where the chain passes it by. */
function countedLength(segment: Segment, chain: Chain): number {
  return chain.links.find((link) => link.segment === segment)?.unit.length ?? 2;
}

function isPrefix(a: readonly LineNumber[], b: readonly LineNumber[]): boolean {
  return a.length <= b.length && a.every((number, at) => number === b[at]);
}

/** The rule `ourHome`: our own leftovers are sealed, those of another home are a head or damage. */
function judgeOffChain(found: Replay, valid: readonly Segment[], home: number): Replay {
  for (const segment of valid) {
    const at = found.links.findIndex((link) => link.segment === segment);
    const next = found.links[at + 1]?.segment;
    const sealed = at < 0 ? segment.header.home === home : !next || sameHome(next, segment);
    if (sealed) continue;
    if (segment.whole.length > (found.links[at]?.unit.length ?? 2)) {
      const heads = [...found.heads, segment.whole.events];
      return twoHeads({ ...found, heads }, `lines off the chain in ${segment.name}`);
    }
    if (segment.rest !== 'clean') return corrupt(`torn end in ${segment.name}, which is not the head`);
  }
  return found;
}

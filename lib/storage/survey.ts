/** Reads every segment of a ledger once, and keeps what the chains need to know of each. */
import type { Way } from './heads.js';
import type { Mark, SegmentScan } from './mark.js';
import type { ReplayOptions } from './replay-plan.js';
import { countLines, scanSegment } from './scan.js';
import type { SegmentFacts } from './segment-facts.js';

type SurveyOptions = Pick<ReplayOptions, 'disk' | 'home' | 'known' | 'onScanned' | 'eager' | 'checkers'>;

export interface Survey {
  readonly scanOf: (facts: SegmentFacts) => {
    readonly scan: SegmentScan;
    readonly markOf: (way: Way) => Mark | undefined;
  };
  readonly firstLineNumbers: ReadonlyMap<string, number>;
}

/** Reads every segment once, oldest first: so that what a segment goes on from is known before it. */
export async function surveySegments(
  options: SurveyOptions,
  all: readonly SegmentFacts[],
  ways: readonly Way[],
): Promise<Survey> {
  // Which events count is known beforehand only where no way leaves the longest.
  const { eager } = options;
  if (!areNested(ways)) eager?.spoil();
  const scans = new Map<SegmentFacts, { scan: SegmentScan; markOf: (way: Way) => Mark | undefined }>();
  const firstLineNumbers = new Map<string, number>();
  let lineNumber = 1;
  for (const facts of all) {
    firstLineNumbers.set(facts.name, lineNumber);
    const passing = ways.filter((way) => way.steps.some((step) => step.facts === facts));
    if (passing.length === 0) {
      lineNumber += await countLines(options.disk, facts.path);
      continue;
    }
    const sealing = passing.filter((way) => wantOf(way, facts) !== undefined);
    const scan = await scanSegment({
      disk: options.disk,
      facts,
      key: options.home?.key,
      wants: sealing.map((way) => wantOf(way, facts) as NonNullable<ReturnType<typeof wantOf>>),
      isHead: sealing.length < passing.length,
      seqBefore: seqBefore(facts, passing[0] as Way, scans),
      known: options.known?.get(facts.name),
      checkers: options.checkers,
      eager: eager?.wants(facts.name) ? (events) => eager.take(events) : undefined,
    });
    if (!scan.told) eager?.spoil();
    options.onScanned?.(facts.name);
    scans.set(facts, { scan, markOf: (way) => scan.marks[sealing.indexOf(way)] });
    lineNumber += scan.lineCount;
  }
  const scanOf: Survey['scanOf'] = (facts) => scans.get(facts) as ReturnType<Survey['scanOf']>;
  return { scanOf, firstLineNumbers };
}

/**
 * Whether each way is the beginning of the longest: as where one home went on from the end of another. Heads without
 * events lead nowhere: whoever opened the ledger and wrote nothing left one.
 */
function areNested(ways: readonly Way[]): boolean {
  const all = ways.map(stepsWithEvents);
  const longest = all.reduce<Way['steps']>((best, steps) => (steps.length > best.length ? steps : best), []);
  return all.every((steps) => steps.every((step, at) => step.facts === longest[at]?.facts));
}

function stepsWithEvents({ steps }: Way): Way['steps'] {
  return steps.slice(0, steps.findLastIndex(({ facts }) => facts.firstEvent !== undefined) + 1);
}

function wantOf(way: Way, facts: SegmentFacts): Way['steps'][number]['want'] {
  return way.steps.find((step) => step.facts === facts)?.want;
}

/** `seq` of the last event before a segment. */
function seqBefore(
  facts: SegmentFacts,
  way: Way,
  scans: ReadonlyMap<SegmentFacts, ReturnType<Survey['scanOf']>>,
): number | undefined {
  const at = way.steps.findIndex((step) => step.facts === facts);
  if (at === 0) return facts.header?.after === undefined ? 0 : undefined;
  for (const step of way.steps.slice(0, at).reverse()) {
    const seen = scans.get(step.facts);
    const seq = (seen?.markOf(way) ?? seen?.scan.end)?.lastSeq;
    if (seq !== undefined) return seq;
  }
  return undefined;
}

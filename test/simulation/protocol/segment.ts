/**
 * A segment as a reader finds it: its header, the units that are there whole (the header, then batch after batch), and
 * what to think of the rest. The rest is `torn` where a crash alone explains it, and `bad` where it does not.
 */
import { type Cells, eventOf, type HeaderLine, type LineNumber, lineOf, type Piece, splitPieces } from './line.js';
import type { Protocol } from './protocol.js';

export interface SegmentFile {
  readonly name: string;
  readonly cells: Cells;
}

export interface Unit {
  /** Where it ends in the file, and the number of its last line. */
  readonly length: number;
  readonly line: LineNumber;
  /** All events of the segment up to there. */
  readonly events: readonly LineNumber[];
}

export interface Segment {
  readonly name: string;
  readonly number: number;
  readonly header: HeaderLine;
  readonly units: readonly Unit[];
  /** The last of `units`. */
  readonly whole: Unit;
  readonly rest: 'clean' | 'torn' | 'bad';
}

export interface Headless {
  readonly name: string;
  readonly header: null;
  /** Whole lines stand behind the missing header. */
  readonly linesFollow: boolean;
}

/** `<number>-W<process>` */
export function segmentName(number: number, writer: number): string {
  return `${number}-W${writer}`;
}

export function numberOfSegment(name: string): number {
  return Number.parseInt(name, 10);
}

export function parseSegment(file: SegmentFile, protocol: Protocol): Segment | Headless {
  const pieces = splitPieces(file.cells);
  const first = pieces[0];
  const header = first && lineOf(first.number);
  if (!first || header?.kind !== 'header') {
    return { name: file.name, header: null, linesFollow: pieces.some((piece) => piece.number > 0) };
  }
  const start: Unit = { length: first.end, line: first.number, events: [] };
  const units = [start, ...findBatches(pieces, protocol)];
  const whole = units.at(-1) ?? start;
  const rest = judgeRest(
    pieces.filter((piece) => piece.end > whole.length),
    protocol,
  );
  return { name: file.name, number: numberOfSegment(file.name), header, units, whole, rest };
}

/** The whole batches behind the header, up to the first line that is damaged or closes another batch than is open. */
function findBatches(pieces: readonly Piece[], protocol: Protocol): Unit[] {
  const batches: Unit[] = [];
  let events: readonly LineNumber[] = [];
  let open: LineNumber[] = [];
  for (const { number, end } of pieces.slice(1)) {
    if (!number) break;
    open.push(number);
    const { commit } = eventOf(number);
    if (protocol.commitMark && commit === undefined) continue;
    if (protocol.commitMark && commit !== eventOf(open[0] ?? number).seq) break;
    events = [...events, ...open];
    batches.push({ length: end, line: number, events });
    open = [];
  }
  return batches;
}

function judgeRest(rest: readonly Piece[], protocol: Protocol): Segment['rest'] {
  if (rest.length === 0) return 'clean';
  if (rest.some((piece) => piece.damage === 'bad')) return 'bad';
  const closes = (piece: Piece): boolean =>
    piece.number > 0 && (!protocol.commitMark || eventOf(piece.number).commit !== undefined);
  // The last line may close the damaged batch itself: the crash that tore the batch may have kept that line.
  const mayClose = protocol.torn === 'lastWholeBatch' && protocol.commitMark && rest.length > 1;
  const own = mayClose ? rest.at(-1) : undefined;
  return rest.some((piece) => piece !== own && closes(piece)) ? 'bad' : 'torn';
}

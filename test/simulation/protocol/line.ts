/**
 * Lines and cells. A line takes two cells, of which the second stands for its end with the newline: the smallest file
 * in which a line can be torn and a write can be short. A line's number stands for its hash: equal lines, equal
 * numbers.
 */
export type Cell = number;
export type Cells = readonly Cell[];
/** From 1; 0 means no line. */
export type LineNumber = number;

/** A cell whose bytes never reached the disk. */
export const zeroCell: Cell = -1;

/** Where a segment goes on from: a segment, and how many of its cells count. */
export interface SealPoint {
  readonly segment: string;
  readonly length: number;
}

export interface HeaderLine {
  readonly kind: 'header';
  readonly number: number;
  readonly writer: number;
  readonly home: number;
  readonly prev: LineNumber;
  readonly after: SealPoint | null;
}

export interface EventLine {
  readonly kind: 'event';
  readonly seq: number;
  readonly prev: LineNumber;
  readonly key: number;
  /** Which event of its batch it is, and of how many: what the checker knows, and a reader doesn't. */
  readonly part: number;
  readonly parts: number;
  readonly writer: number;
  /** On the last event of a batch: `seq` of its first. */
  readonly commit?: number;
}

export type Line = HeaderLine | EventLine;

// Grows only, and a number never changes its line: that all explorations of a process share it does no harm.
const lines: Line[] = [];
const numbers = new Map<string, LineNumber>();

/** The number of a line, a new one for a line that was never seen. */
export function numberOfLine(line: Line): LineNumber {
  const text = JSON.stringify(line);
  const known = numbers.get(text);
  if (known !== undefined) return known;
  const number = lines.push(line);
  numbers.set(text, number);
  return number;
}

export function lineOf(number: LineNumber): Line | undefined {
  return lines[number - 1];
}

export function eventOf(number: LineNumber): EventLine {
  const line = lineOf(number);
  if (line?.kind !== 'event') throw new Error(`line ${number} is no event`);
  return line;
}

export function cellsOf(batch: readonly LineNumber[]): Cells {
  return batch.flatMap((number) => [2 * number, 2 * number + 1]);
}

/** The line that a cell belongs to; 0 for a cell that was lost or is not there. */
export function lineAtCell(cell: Cell | undefined): LineNumber {
  return cell === undefined || cell === zeroCell ? 0 : cell >> 1;
}

function endsLine(cell: Cell | undefined): boolean {
  return cell !== undefined && cell >= 0 && cell % 2 === 1;
}

/** What stands between two newlines. `torn` has zeros or is cut short; `bad` is anything else that is no line. */
export interface Piece {
  readonly number: LineNumber;
  readonly end: number;
  readonly damage: 'none' | 'torn' | 'bad';
}

/** Splits cells at the newlines, the way a reader finds them. */
export function splitPieces(cells: Cells): Piece[] {
  const pieces: Piece[] = [];
  for (let from = 0; from < cells.length; ) {
    let last = from;
    while (last < cells.length && !endsLine(cells[last])) last++;
    const ended = last < cells.length;
    const end = ended ? last + 1 : last;
    pieces.push(judgePiece(cells.slice(from, end), end, ended));
    from = end;
  }
  return pieces;
}

function judgePiece(piece: Cells, end: number, ended: boolean): Piece {
  const [first, second] = piece;
  if (ended && piece.length === 2 && second !== undefined && first === second - 1) {
    return { number: second >> 1, end, damage: 'none' };
  }
  const torn = piece.includes(zeroCell) || (!ended && piece.length === 1);
  return { number: 0, end, damage: torn ? 'torn' : 'bad' };
}

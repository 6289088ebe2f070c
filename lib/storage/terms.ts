/**
 * Terms: who may write. `run/terms/<n>` holds one record, `{term, writer, pid, started, boot_id, pid_ns}`; whoever links
 * the highest number owns the ledger, and the owner before finds out at its next check. Because `link` refuses a name
 * that is there, a term has one owner, whatever sleeps or races. No term is ever removed: an owner that slept for a
 * year still finds its successor.
 *
 * n is one more than the highest of all terms and of all segment numbers. Where that skips numbers, because segments
 * arrived from another clone, the number right behind the highest term is linked too: the owner of that one looks at
 * its own number plus one and nowhere else. Where `terms/` is empty beside existing segments (somebody removed `run/`)
 * there may be a writer that nobody can see: 1000 more keep its numbers and ours apart. The segments are listed before
 * the terms: else somebody who takes the first term and opens its segment in between would look like such a writer, and
 * would never find the one who jumped over it (`test/simulation/protocol`, 23 steps).
 *
 * The record is written into a temporary file that stands in `run/` before anything is counted. If the folder is taken
 * away in between, the link finds nothing; afterwards the open descriptor keeps the inode from being used again, so
 * that "the same inode" means "our own term".
 */
import { join } from 'node:path';
import { canonicalJson } from '../base/canonical.js';
import { AgentopsdError } from '../base/errors.js';
import { isJsonObject } from '../base/json.js';
import { randomHex } from '../base/random.js';
import type { FileSeams } from './atomic-file.js';
import { PRIVATE_FILE, readSmallFile, writeWhole } from './atomic-file.js';
import type { Disk, DiskFile, EntryFacts } from './disk.js';
import type { Layout } from './layout.js';
import type { ProcessIdentity } from './process-facts.js';
import { parseSegmentName } from './segment.js';

export interface TermRecord {
  readonly term: number;
  /** Eight hex digits: the writer's part of segment names. */
  readonly writer: string;
  readonly pid: number;
  readonly started?: string | undefined;
  readonly boot_id?: string | undefined;
  readonly pid_ns?: string | undefined;
}

export interface Term {
  readonly number: number;
  /** Whether the term's name still is our file, in the same `run/`. */
  isOurs(): boolean;
  /** Whether nobody linked the number behind ours. */
  isLast(): boolean;
  close(): Promise<void>;
}

export interface TermOptions extends FileSeams {
  readonly layout: Layout;
  readonly writer: string;
  readonly identity: ProcessIdentity;
}

const GAP_AFTER_LOST_TERMS = 1000;
const TERM_FILE_MAX_BYTES = 4096;
const TEMPORARY_BYTES = 8;
/** Numbers behind this can only be made up; counting on would leave what JSON can say. */
const HIGHEST_TERM = 1e14;

/**
 * Takes the next term.
 * @param previous for a writer that goes on under a new term: it must be its own plus one, with its own still there
 * @throws AgentopsdError `daemon_running` when somebody else was first, `ledger_unsafe` when numbers run out
 * @throws DiskError
 */
export async function takeTerm(options: TermOptions, previous?: Term): Promise<Term> {
  const { disk, layout } = options;
  const draft = await openDraft(options);
  try {
    const counted = await countTerm(disk, layout);
    if (previous !== undefined && (counted.number !== previous.number + 1 || !previous.isOurs()))
      throw takenOver(previous.number);
    if (counted.fence !== undefined) await linkFence(options, counted.fence);
    await writeRecord(draft, options, counted.number);
    const term = termOf(options, draft, counted.number);
    if (!(await disk.link(draft.path, termPath(layout, counted.number)))) throw takenOver(counted.number);
    await disk.syncFolder(layout.terms);
    await disk.remove(draft.path);
    return term;
  } catch (error) {
    await draft.close();
    await disk.remove(draft.path).catch(() => false);
    throw error;
  }
}

/** The record of the highest term; undefined when there is none. `record` is undefined when it can't be read. */
export async function readOwner(
  disk: Disk,
  layout: Layout,
): Promise<{ term: number; record: TermRecord | undefined } | undefined> {
  const term = Math.max(0, ...(await listTerms(disk, layout)));
  if (term === 0) return undefined;
  return { term, record: await readTermRecord(disk, termPath(layout, term)) };
}

/** The record in a file of ours; undefined when it is not there or holds none. */
export async function readTermRecord(disk: Disk, path: string): Promise<TermRecord | undefined> {
  const bytes = await readSmallFile(disk, path, TERM_FILE_MAX_BYTES);
  let value: unknown;
  try {
    value = JSON.parse((bytes ?? Buffer.alloc(0)).toString('utf8'));
  } catch {
    return undefined;
  }
  if (!isJsonObject(value)) return undefined;
  const { term, writer, pid } = value;
  if (typeof term !== 'number' || typeof writer !== 'string' || typeof pid !== 'number') return undefined;
  const text = (member: unknown): string | undefined => (typeof member === 'string' ? member : undefined);
  return {
    term,
    writer,
    pid,
    started: text(value['started']),
    boot_id: text(value['boot_id']),
    pid_ns: text(value['pid_ns']),
  };
}

export function termRecordText(options: Pick<TermOptions, 'writer' | 'identity'>, term: number): string {
  const { pid, started, bootId, pidNamespace } = options.identity;
  return `${canonicalJson({
    term,
    writer: options.writer,
    pid,
    ...(started === undefined ? {} : { started }),
    ...(bootId === undefined ? {} : { boot_id: bootId }),
    ...(pidNamespace === undefined ? {} : { pid_ns: pidNamespace }),
  })}\n`;
}

/** Numbers of the segments that are there. */
async function listSegmentNumbers(disk: Disk, layout: Layout): Promise<number[]> {
  return ((await disk.list(layout.ledger)) ?? []).flatMap((name) => parseSegmentName(name)?.term ?? []);
}

async function listTerms(disk: Disk, layout: Layout): Promise<number[]> {
  return ((await disk.list(layout.terms)) ?? []).flatMap((name) => (/^[1-9]\d{0,14}$/.test(name) ? Number(name) : []));
}

async function countTerm(disk: Disk, layout: Layout): Promise<{ number: number; fence: number | undefined }> {
  // Segments first: whose segment is listed, his term was there before it, and is listed behind it.
  const segments = await listSegmentNumbers(disk, layout);
  const terms = await listTerms(disk, layout);
  const lost = terms.length === 0 && segments.length > 0;
  const number = 1 + highest([...terms, ...segments]) + (lost ? GAP_AFTER_LOST_TERMS : 0);
  if (number > HIGHEST_TERM) {
    throw new AgentopsdError('ledger_unsafe', `a segment or term carries a number beyond ${HIGHEST_TERM}`, {
      hint: `look for it in ${layout.ledger} and ${layout.terms}, and move it away`,
    });
  }
  const behindTerms = 1 + highest(terms);
  return { number, fence: terms.length > 0 && number > behindTerms ? behindTerms : undefined };
}

function highest(numbers: readonly number[]): number {
  return numbers.reduce((high, number) => Math.max(high, number), 0);
}

async function linkFence(options: TermOptions, number: number): Promise<void> {
  const { disk, layout } = options;
  const draft = await openDraft(options);
  try {
    await writeRecord(draft, options, number);
    if (!(await disk.link(draft.path, termPath(layout, number)))) throw takenOver(number);
    await disk.syncFolder(layout.terms);
  } finally {
    await draft.close();
    await disk.remove(draft.path).catch(() => false);
  }
}

async function openDraft(options: TermOptions): Promise<DiskFile> {
  const name = `.term.${randomHex(options.random, TEMPORARY_BYTES)}.tmp`;
  return options.disk.open(join(options.layout.run, name), 'create', PRIVATE_FILE);
}

async function writeRecord(draft: DiskFile, options: TermOptions, number: number): Promise<void> {
  writeWhole(draft, Buffer.from(termRecordText(options, number), 'utf8'), 0);
  await draft.datasync();
}

function termOf(options: TermOptions, file: DiskFile, number: number): Term {
  const { disk, layout } = options;
  const own = file.factsSync();
  const run = disk.factsSync(layout.run);
  const path = termPath(layout, number);
  const nextPath = termPath(layout, number + 1);
  return {
    number,
    isOurs: () => isSame(disk.factsSync(path), own) && isSame(disk.factsSync(layout.run), run),
    isLast: () => disk.factsSync(nextPath) === undefined,
    close: () => file.close(),
  };
}

/** Whether both name one file or folder. */
export function isSame(a: EntryFacts | undefined, b: EntryFacts | undefined): boolean {
  return a !== undefined && b !== undefined && a.kind === b.kind && a.device === b.device && a.inode === b.inode;
}

function termPath(layout: Layout, number: number): string {
  return join(layout.terms, String(number));
}

function takenOver(term: number): AgentopsdError {
  return new AgentopsdError('daemon_running', `another daemon became the writer at the same time (term ${term})`, {
    hint: 'use the one that runs, or stop it first',
  });
}

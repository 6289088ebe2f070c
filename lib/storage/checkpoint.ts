/**
 * A checkpoint: the folded state at one event, so that an opening need not fold all events before it anew. One file,
 * encoder beside decoder:
 *
 *   magic       "agentopsd checkpoint 1\n"
 *   pages       of the state, as the keeper of the state gives them
 *   contents    JSON: `CheckpointContents`
 *   length      of the contents, 8 bytes, little endian
 *   mac         32 bytes: HMAC-SHA-256 with the home's key over everything before
 *
 * It proves nothing about the ledger and takes nothing from its place: it is believed only where the ledger has the same
 * line at the same place (segment, byte, line, hash), and only where the mac verifies, so that no other file can put a
 * state into our mouth. What can't be believed is passed over, and the events are folded from an older one or from the
 * beginning. The magic keeps its mac apart from that of a line, which begins with `{`.
 *
 * It always stands at the end of what counts of a segment: where the segment was closed, or its writer stopped.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { isJsonObject } from '../base/json.js';
import { writeWhole } from './atomic-file.js';
import type { AdoptedRecord } from './condition.js';
import type { DiskFile } from './disk.js';
import type { HistoryRun } from './history.js';
import type { StateKeeper, StateRestoring } from './ledger.js';
import type { KnownSegment } from './mark.js';

const MAGIC = Buffer.from('agentopsd checkpoint 1\n', 'latin1');
const LENGTH_BYTES = 8;
const MAC_BYTES = 32;
/** Between two syncs while it is written: so the batches that are synced meanwhile never wait for much. */
const BYTES_PER_SYNC = 4_194_304;
/** Pages that are on their way while one is looked at. */
const PAGES_AHEAD = 3;

/** Everything but the pages, and where they end. */
export interface CheckpointContents {
  /** Of the reducer that folded the state. */
  readonly reducer: string;
  readonly home: string;
  /** `seq` of the last event that is in it. */
  readonly seq: number;
  /** The segments that it covers, oldest first; it stands at the end of the last. */
  readonly chain: readonly KnownSegment[];
  readonly history: readonly HistoryRun[];
  /** Damage that was accepted so far. */
  readonly adopted: readonly AdoptedRecord[];
  /** Summary of the state. */
  readonly state: string;
  /** Bytes of each page. */
  readonly pages: readonly number[];
}

export class CheckpointUnusable extends Error {}

/** Writes all of it, durably, and lets everybody else have their turn between any two pages. @throws DiskError */
export async function writeCheckpoint(
  file: DiskFile,
  contents: Omit<CheckpointContents, 'pages'>,
  pages: Iterable<Buffer>,
  key: Uint8Array,
): Promise<void> {
  const mac = createHmac('sha256', key);
  let position = 0;
  let synced = 0;
  const put = (bytes: Buffer): void => {
    writeWhole(file, bytes, position);
    mac.update(bytes);
    position += bytes.length;
  };
  put(MAGIC);
  const lengths: number[] = [];
  for (const page of pages) {
    put(page);
    lengths.push(page.length);
    if (position - synced >= BYTES_PER_SYNC) {
      await file.datasync();
      synced = position;
    } else await file.read(0, 1);
  }
  const text = Buffer.from(JSON.stringify({ ...contents, pages: lengths }), 'utf8');
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeBigUInt64LE(BigInt(text.length));
  put(text);
  put(length);
  writeWhole(file, mac.digest(), position);
  await file.datasync();
}

/**
 * What the file says about itself, without a look at its mac: good for passing over what can't fit, and for nothing else.
 * @throws CheckpointUnusable; DiskError
 */
export async function peekCheckpoint(file: DiskFile): Promise<CheckpointContents> {
  const { sizeBytes } = file.factsSync();
  const end = sizeBytes - MAC_BYTES - LENGTH_BYTES;
  if (end <= MAGIC.length) throw new CheckpointUnusable('it is cut short');
  if (!(await file.read(0, MAGIC.length)).equals(MAGIC)) throw new CheckpointUnusable('it is of another form');
  const length = Number((await file.read(end, LENGTH_BYTES)).readBigUInt64LE());
  if (length > end - MAGIC.length) throw new CheckpointUnusable('it is cut short');
  const contents = parsed(await file.read(end - length, length));
  const pagesBytes = contents.pages.reduce((sum, bytes) => sum + bytes, 0);
  if (pagesBytes !== end - length - MAGIC.length) throw new CheckpointUnusable('its pages do not fill it');
  return contents;
}

function parsed(bytes: Buffer): CheckpointContents {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch {
    throw new CheckpointUnusable('its contents are no JSON');
  }
  // Its members are ours once the mac verifies; until then these are looked at.
  const { reducer, home, seq, chain, pages } = isJsonObject(value) ? value : {};
  const counts = Array.isArray(pages) && pages.every((one) => Number.isSafeInteger(one) && (one as number) >= 0);
  if (typeof reducer !== 'string' || typeof home !== 'string' || typeof seq !== 'number' || !counts)
    throw new CheckpointUnusable('its contents lack something');
  if (!Array.isArray(chain) || chain.length === 0) throw new CheckpointUnusable('its contents lack something');
  return value as unknown as CheckpointContents;
}

/**
 * Reads and verifies all of it. @param contents what `peekCheckpoint` answered
 * @throws CheckpointUnusable; DiskError
 */
export async function readCheckpoint(
  file: DiskFile,
  contents: CheckpointContents,
  key: Uint8Array,
  keeper: StateKeeper,
): Promise<StateRestoring> {
  const mac = createHmac('sha256', key).update(MAGIC);
  const restoring = keeper.restoring();
  let position = MAGIC.length;
  const ahead: Promise<Buffer>[] = [];
  const lengths = contents.pages.values();
  const readOn = (): void => {
    const { value: length } = lengths.next();
    if (length === undefined) return;
    ahead.push(readAhead(file, position, length));
    position += length;
  };
  for (let at = 0; at < PAGES_AHEAD; at++) readOn();
  for (const length of contents.pages) {
    const page = (await ahead.shift()) as Buffer;
    readOn();
    if (page.length !== length) throw new CheckpointUnusable('it is cut short');
    mac.update(page);
    believed(() => restoring.page(page));
  }
  const rest = await file.read(position, file.factsSync().sizeBytes - position);
  const macAt = rest.length - MAC_BYTES;
  if (macAt < 0 || !timingSafeEqual(mac.update(rest.subarray(0, macAt)).digest(), rest.subarray(macAt)))
    throw new CheckpointUnusable('its mac does not verify: it was altered, or it is of another home');
  believed(() => restoring.finish(contents.state));
  return restoring;
}

function readAhead(file: DiskFile, position: number, length: number): Promise<Buffer> {
  const reading = file.read(position, length);
  // Whoever gives up before it comes has an error already.
  reading.catch(() => undefined);
  return reading;
}

/** What throws here reads bytes that are not verified yet. */
function believed(read: () => void): void {
  try {
    read();
  } catch (error) {
    throw new CheckpointUnusable(`its state can't be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

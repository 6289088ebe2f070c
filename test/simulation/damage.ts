/**
 * Damage that nobody can prevent, done to a copy of the world in which everything is acknowledged: it has to be found,
 * told at its place, and whatever can still be read has to be there.
 */
import { posix } from 'node:path';
import { AgentopsdError } from '../../lib/base/errors.js';
import type { DamageRecord } from '../../lib/model/health.js';
import { adoptionPayload } from '../../lib/storage/condition.js';
import type { MemoryDisk } from '../support/memory-disk.js';
import { allKept } from '../support/memory-disk.js';
import type { LedgerText } from './checker/ledger-text.js';
import type { Line } from './checker/segment-text.js';
import { Violation, type Witness } from './checker/witness.js';
import type { Dice } from './dice.js';
import type { Happening } from './faults.js';
import { LEDGER, ledgerFiles } from './places.js';
import { STATE } from './process.js';
import { isLacking, openOn, type Recovered } from './recovery.js';

/** What was done, and where it must be told. */
interface Done {
  readonly what: Happening;
  /** In words, for a violation. */
  readonly where: string;
  /** One of the records has to stand here. */
  readonly isToldBy: (record: DamageRecord) => boolean;
  /** Whether an event may be lost by it. */
  readonly mayTake: (line: Line) => boolean;
}

const SECTOR_BYTES = 512;

/** @returns what happened; undefined when there was nothing that could be damaged */
export async function damageAndJudge(world: MemoryDisk, witness: Witness, dice: Dice): Promise<Happening | undefined> {
  const disk = world.fork();
  disk.losePower(allKept);
  const text = witness.read(ledgerFiles(disk));
  if (text.events.length === 0) return undefined;
  const kinds = [flipBit, flipBit, zeroSector, cutSealed, removeMiddle, takeBack];
  const done = dice.pick(kinds)(disk, text, dice);
  if (done === undefined) return undefined;
  try {
    await judge(disk, text, done, dice);
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    throw new Violation(`${error.message}; the chain was ${chainText(text)}`);
  }
  return done.what;
}

function chainText(text: LedgerText): string {
  const parts = text.chain.map(({ segment, countedBytes }) => {
    const events = text.events.filter((line) => line.segment === segment.name).length;
    return `${segment.name} (${events} events in ${countedBytes} of ${segment.sizeBytes} bytes)`;
  });
  return parts.join(', ');
}

async function judge(disk: MemoryDisk, text: LedgerText, done: Done, dice: Dice): Promise<void> {
  await judgeBehind(disk.fork(), done, dice);
  let opened: Recovered;
  try {
    opened = await openOn(disk, dice.int(1e9));
  } catch (error) {
    // One bit can make a version of the future: that is refused as a whole.
    if (error instanceof AgentopsdError && error.code === 'ledger_newer') return;
    throw new Violation(
      `${done.what} ${done.where}: it does not open: ${error instanceof Error ? error.stack : error}`,
    );
  }
  const { damage, claimsHeldThroughSeq } = opened.kernel.health();
  if (!damage.some(done.isToldBy)) throw new Violation(`${done.what} ${done.where}: told is ${JSON.stringify(damage)}`);
  const { lastSeq } = opened.kernel.state;
  if (claimsHeldThroughSeq < lastSeq)
    throw new Violation(
      `${done.what} ${done.where}: jobs accepted up to ${lastSeq} may be claimed behind ${claimsHeldThroughSeq}: ${JSON.stringify(damage)}`,
    );
  const there = new Set(opened.events.map((event) => event.event_id));
  for (const line of text.events)
    if (!done.mayTake(line) && !there.has(String(line.value['event_id'])))
      throw new Violation(`${done.what} ${done.where}: ${line.segment}:${line.number} can be read, and is lost`);
  await judgeAdoption(disk, opened, done, dice);
}

/** Where a checkpoint covers it, it is told as soon as it is found; then the next opening has to see it for itself. */
async function judgeBehind(disk: MemoryDisk, done: Done, dice: Dice): Promise<void> {
  let opened: Recovered;
  try {
    opened = await openOn(disk, dice.int(1e9), { verifiesBehind: true, readsNothing: true });
  } catch (error) {
    if (error instanceof AgentopsdError && error.code === 'ledger_newer') return;
    throw error;
  }
  const { damage, claimsHeldThroughSeq } = opened.kernel.health();
  const when = `${done.what} ${done.where}, verified behind the opening`;
  if (!damage.some(done.isToldBy)) throw new Violation(`${when}: told is ${JSON.stringify(damage)}`);
  if (claimsHeldThroughSeq < opened.kernel.state.lastSeq)
    throw new Violation(`${when}: jobs may be claimed behind ${claimsHeldThroughSeq}`);
  const left = checkpointsOn(disk);
  if (left.length > 0 && damage.some(({ error }) => !isLacking(error)))
    throw new Violation(`${when}: ${left.length} checkpoints stay`);
}

/** Accepted damage is told no more, now and after the next start. */
async function judgeAdoption(disk: MemoryDisk, opened: Recovered, done: Done, dice: Dice): Promise<void> {
  const payload = adoptionPayload(opened.kernel.health().damage);
  await opened.kernel.execute({
    kind: 'adopt_damage',
    actor: 'client',
    occurredAt: '2026-01-01T00:00:00.000Z',
    request_id: 'adoption',
    payload,
  });
  const again = await openOn(disk, dice.int(1e9));
  for (const { kernel } of [opened, again]) {
    const { damage, claimsHeldThroughSeq } = kernel.health();
    if (damage.length > 0 || claimsHeldThroughSeq > 0)
      throw new Violation(`${done.what} ${done.where}: told although it was adopted: ${JSON.stringify(damage)}`);
  }
}

function flipBit(disk: MemoryDisk, text: LedgerText, dice: Dice): Done | undefined {
  const line = dice.pick(text.events);
  const content = contentOf(disk, line.segment);
  const position = line.fromByte + dice.int(line.toByte - line.fromByte);
  const bit = 1 << dice.int(8);
  const byte = (content[position] ?? 0) ^ bit;
  // In the last batch of the head a zero byte is what a lost write leaves behind.
  if (byte === 0 && isInLastBatch(text, line)) return undefined;
  disk.fileAt(posix.join(LEDGER, line.segment))?.tamper({ bytes: Buffer.from([byte]), position });
  const isNewline = position === line.toByte - 1;
  return {
    what: 'flipped bit',
    where: `${bit} at byte ${position} of ${line.segment}:${line.number}`,
    isToldBy: ({ segment, segment_line }) => segment === line.segment && segment_line === line.number,
    mayTake: ({ segment, number }) =>
      segment === line.segment && (number === line.number || (isNewline && number === line.number + 1)),
  };
}

function zeroSector(disk: MemoryDisk, text: LedgerText, dice: Dice): Done | undefined {
  const line = dice.pick(text.events);
  const sector = Math.floor((line.fromByte + dice.int(line.toByte - line.fromByte)) / SECTOR_BYTES);
  const counted = text.chain.find(({ segment }) => segment.name === line.segment)?.countedBytes ?? 0;
  const [from, to] = [sector * SECTOR_BYTES, Math.min((sector + 1) * SECTOR_BYTES, counted)];
  const hit = text.events.filter((one) => one.segment === line.segment && one.fromByte < to && one.toByte > from);
  const header = text.chain.find(({ segment }) => segment.name === line.segment)?.segment.header?.toByte ?? 0;
  if (from < header || hit.some((one) => isInLastBatch(text, one))) return undefined;
  const [first = 0, last = 0] = [hit[0]?.number, hit.at(-1)?.number];
  disk.fileAt(posix.join(LEDGER, line.segment))?.tamper({ bytes: Buffer.alloc(to - from), position: from });
  return {
    what: 'zeroed sector',
    where: `${from} to ${to} of ${line.segment}:${first}-${last}`,
    isToldBy: ({ segment, segment_line }) => segment === line.segment && segment_line >= first && segment_line <= last,
    mayTake: (one) => hit.includes(one),
  };
}

function cutSealed(disk: MemoryDisk, text: LedgerText, dice: Dice): Done | undefined {
  const sealed = withEvents(text, text.chain.slice(0, -1));
  if (sealed.length === 0) return undefined;
  const { segment, countedBytes } = dice.pick(sealed);
  const from = segment.header?.toByte ?? 0;
  // Nothing but its header is a place of its own: what is left looks like a segment that never held anything.
  const sizeBytes = dice.maybe(0.2) ? from : from + dice.int(countedBytes - from);
  disk.fileAt(posix.join(LEDGER, segment.name))?.tamper({ sizeBytes });
  return {
    what: 'sealed segment cut',
    where: `${segment.name} at byte ${sizeBytes} of ${countedBytes}`,
    isToldBy: (record) => record.segment === segment.name,
    mayTake: (line) => line.segment === segment.name && line.toByte > sizeBytes,
  };
}

function removeMiddle(disk: MemoryDisk, text: LedgerText, dice: Dice): Done | undefined {
  const middle = withEvents(text, text.chain.slice(0, -1));
  if (middle.length === 0) return undefined;
  const { segment } = dice.pick(middle);
  disk.unplant(posix.join(LEDGER, segment.name));
  return {
    what: 'middle segment removed',
    where: segment.name,
    isToldBy: () => true,
    mayTake: (line) => line.segment === segment.name,
  };
}

/** The ledger of some time ago, as a backup brings it: whole in itself, but what the home knows of is missing. */
function takeBack(disk: MemoryDisk, text: LedgerText, dice: Dice): Done | undefined {
  const anchored = anchoredSeq(disk);
  const ends = text.chain.flatMap(({ segment, countedBytes }) =>
    segment.ends.filter((end) => end <= countedBytes).map((end) => ({ segment, end })),
  );
  const kept = (place: { segment: { name: string }; end: number }): number =>
    text.events.findLast((line) => isBefore(text, line, place))?.value['seq'] as number;
  const older = ends.filter((place) => (kept(place) ?? 0) < anchored);
  if (older.length === 0) return undefined;
  const place = dice.pick(older);
  for (const name of ledgerFiles(disk).keys()) if (name > place.segment.name) disk.unplant(posix.join(LEDGER, name));
  disk.fileAt(posix.join(LEDGER, place.segment.name))?.tamper({ sizeBytes: place.end });
  return {
    what: 'older state',
    where: `${place.segment.name} at byte ${place.end}, of what was anchored at ${anchored}`,
    isToldBy: ({ error }) => error.includes(`event ${anchored} `),
    mayTake: (line) => !isBefore(text, line, place),
  };
}

/** How far the home knows of the ledger, by its `anchor.json`; 0 without one. */
export function anchoredSeq(disk: MemoryDisk): number {
  const path = disk.paths().find((one) => one.startsWith(`${STATE}/`) && one.endsWith('/anchor.json'));
  try {
    const anchor: unknown = JSON.parse(String(path && disk.contentOf(path)));
    return Number((anchor as { seq?: unknown }).seq ?? 0);
  } catch {
    return 0;
  }
}

function isBefore(text: LedgerText, line: Line, place: { segment: { name: string }; end: number }): boolean {
  if (line.segment === place.segment.name) return line.toByte <= place.end;
  const names = text.chain.map(({ segment }) => segment.name);
  return names.indexOf(line.segment) < names.indexOf(place.segment.name);
}

function withEvents(text: LedgerText, links: LedgerText['chain']): LedgerText['chain'] {
  const names = new Set(text.events.map((line) => line.segment));
  return links.filter(({ segment }) => names.has(segment.name));
}

function isInLastBatch(text: LedgerText, line: Line): boolean {
  const last = text.events.at(-1);
  const from = (last?.value['commit'] as { from?: number } | undefined)?.from ?? 0;
  return Number(line.value['seq']) >= from;
}

/** One bit of a checkpoint, or its end: it proves nothing any more. @returns whether there was one */
export function spoilCheckpoint(disk: MemoryDisk, dice: Dice): boolean {
  const paths = checkpointsOn(disk);
  if (paths.length === 0) return false;
  for (const path of paths) {
    const sizeBytes = disk.contentOf(path)?.length ?? 0;
    const position = dice.int(sizeBytes);
    const byte = (disk.contentOf(path)?.[position] ?? 0) ^ (1 << dice.int(8));
    disk.fileAt(path)?.tamper(dice.maybe(0.7) ? { bytes: Buffer.from([byte]), position } : { sizeBytes: position });
  }
  return true;
}

function checkpointsOn(disk: MemoryDisk): string[] {
  return disk.paths().filter((path) => path.startsWith(`${STATE}/`) && path.endsWith('.checkpoint'));
}

function contentOf(disk: MemoryDisk, name: string): Buffer {
  return disk.contentOf(posix.join(LEDGER, name)) ?? Buffer.alloc(0);
}

/**
 * Every single flipped bit in acknowledged bytes is found, at the line it stands in, and no altered event is ever taken
 * for ours. One bit of each byte of a small ledger is tried, and bits and zeroed sectors by chance of a larger one.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { AgentopsdError } from '../../lib/base/errors.js';
import type { ReplayOptions } from '../../lib/storage/replay.js';
import { planReplay, replayEvents } from '../../lib/storage/replay.js';
import { MemoryDisk } from '../support/memory-disk.js';
import { homeA, LEDGER, SegmentBuilder } from '../support/segment-builder.js';
import { chance } from '../support/test-clock.js';

const test = suite('flipped bits');

/** Three segments, the last one the head. */
function segments(): SegmentBuilder[] {
  const one = new SegmentBuilder(1, homeA).batches(1, 2);
  const two = new SegmentBuilder(2, homeA, one.place()).batches(1);
  return [one, two, new SegmentBuilder(3, homeA, two.place()).batches(1, 2)];
}

function lineAt(content: Buffer, at: number): number {
  return content.subarray(0, at).filter((byte) => byte === 0x0a).length + 1;
}

async function textsOf(options: ReplayOptions): Promise<Map<number, string>> {
  const texts = new Map<number, string>();
  for await (const { event, ours } of replayEvents(options, await planReplay(options))) {
    if (ours) texts.set(event.seq, JSON.stringify(event));
  }
  return texts;
}

/** What is wrong with how `content` of one segment is judged, or undefined. `lines`: where damage was done. */
async function misjudged(
  built: readonly SegmentBuilder[],
  target: number,
  content: Buffer,
  lines: ReadonlySet<number>,
): Promise<string | undefined> {
  const disk = new MemoryDisk();
  built.forEach((segment, at) => segment.plant(disk, at === target ? content : undefined));
  const options = { disk, ledgerFolder: LEDGER, home: homeA };
  try {
    const { damage } = await planReplay(options);
    const { name } = built[target] as SegmentBuilder;
    const near = damage.some((record) => record.segment === name && lines.has(record.segment_line));
    if (!near) return `told ${JSON.stringify(damage)}`;
    const found = await textsOf(options);
    const whole = originals;
    for (const [seq, text] of found) if (whole.get(seq) !== text) return `event ${seq} is altered and taken for ours`;
    for (const seq of whole.keys())
      if (!found.has(seq) && !nearSeq(built, target, lines, seq)) return `event ${seq} is lost`;
    return undefined;
  } catch (error) {
    if (error instanceof AgentopsdError && error.code === 'ledger_newer') {
      const line = error.details?.segment_line as number;
      return lines.has(line) ? undefined : `refused for line ${line}`;
    }
    throw error;
  }
}

let originals = new Map<number, string>();

/** Events in the batches that the damaged lines touch may be missing among ours: their mac can't vouch for them. */
function nearSeq(built: readonly SegmentBuilder[], target: number, lines: ReadonlySet<number>, seq: number): boolean {
  const segment = built[target] as SegmentBuilder;
  const touched = new Set<number>();
  let batch: number[] = [];
  segment.lines.forEach((line, at) => {
    const event = JSON.parse(line) as { seq?: number; commit?: unknown };
    if (event.seq === undefined) return;
    batch.push(at + 1, event.seq);
    if (!event.commit) return;
    const numbers = batch.filter((_, index) => index % 2 === 0);
    if (numbers.some((number) => lines.has(number)))
      for (const [index, value] of batch.entries()) if (index % 2 === 1) touched.add(value);
    batch = [];
  });
  return touched.has(seq);
}

async function remember(built: readonly SegmentBuilder[]): Promise<void> {
  const disk = new MemoryDisk();
  for (const segment of built) segment.plant(disk);
  originals = await textsOf({ disk, ledgerFolder: LEDGER, home: homeA });
}

test('a bit of every byte of a small ledger', async () => {
  const built = segments();
  await remember(built);
  const unit = chance(3);
  const wrong: string[] = [];
  for (const [target, segment] of built.entries()) {
    const content = segment.bytes();
    for (let at = 0; at < content.length; at++) {
      const bit = Math.floor(unit() * 8);
      const flipped = Buffer.from(content);
      flipped[at] = (flipped[at] as number) ^ (1 << bit);
      const line = lineAt(content, at);
      const why = await misjudged(built, target, flipped, new Set([line]));
      // A newline that is gone joins its line with the next one.
      if (why === undefined || (content[at] === 0x0a && /is lost/.test(why))) continue;
      wrong.push(`${segment.name} byte ${at} bit ${bit} (line ${line}): ${why}`);
    }
  }
  assert.equal(wrong.slice(0, 10), [], `${wrong.length} in all`);
});

test('sectors of zeros before the last batch, and several bits at once', async () => {
  const unit = chance(7);
  const pick = (below: number): number => Math.floor(unit() * below);
  const one = new SegmentBuilder(1, homeA).batches(1, 3, 1, 2, 1);
  const built = [one, new SegmentBuilder(2, homeA, one.place()).batches(2, 1, 4, 1, 1)];
  await remember(built);
  const wrong: string[] = [];
  for (let run = 0; run < 600; run++) {
    const target = pick(2);
    const segment = built[target] as SegmentBuilder;
    const content = segment.bytes();
    const damaged = Buffer.from(content);
    const places: number[] = [];
    if (run % 2 === 0) {
      // Behind line 1 and before the last two batches.
      const from = Math.ceil(segment.startOf(2) / 512) * 512;
      const sectors = Math.floor((segment.startOf(segment.lines.length - 1) - from) / 512);
      const start = from + 512 * pick(sectors);
      damaged.fill(0, start, start + 512);
      for (let at = start; at < start + 512; at++) places.push(at);
    } else {
      for (let count = 1 + pick(3); count > 0; count--) {
        const at = pick(content.length);
        damaged[at] = (damaged[at] as number) ^ (1 << pick(8));
        places.push(at);
      }
      if (damaged.equals(content)) continue;
    }
    const lines = new Set(places.map((at) => lineAt(content, at)));
    const why = await misjudged(built, target, damaged, lines);
    if (why !== undefined && !/is lost|^refused/.test(why)) wrong.push(`run ${run} lines ${[...lines]}: ${why}`);
  }
  assert.equal(wrong.slice(0, 10), [], `${wrong.length} in all`);
});

test.run();

/**
 * The events that a plan counts, read from the files in order. A damaged line that still reads like an event is among
 * them, but not as ours: it is served, told as damage, and changes no job of ours.
 */
import { AgentopsdError } from '../base/errors.js';
import { FaultList } from './fault.js';
import type { ReplayedEvent } from './ledger.js';
import { LineBlock } from './line-block.js';
import { readLines } from './reader.js';
import type { ChainLink, ReplayOptions, ReplayPlan } from './replay-plan.js';
import { walkBatches } from './walk.js';

export type { ReplayedEvent } from './ledger.js';

/** The counted events in order, in short arrays: the fast way to take many. @param fromLink passes by so many segments */
export async function* replayBlocks(
  options: ReplayOptions,
  plan: ReplayPlan,
  fromLink = 0,
): AsyncGenerator<ReplayedEvent[]> {
  for (const link of plan.chain.slice(fromLink))
    yield* link.reading === 'trusted' ? trustedBlocks(options, link) : checkedBlocks(options, link);
}

/** The counted events in order. */
export async function* replayEvents(options: ReplayOptions, plan: ReplayPlan): AsyncGenerator<ReplayedEvent> {
  for await (const block of replayBlocks(options, plan)) yield* block;
}

async function* trustedBlocks({ disk }: ReplayOptions, link: ChainLink): AsyncGenerator<ReplayedEvent[]> {
  const file = await disk.open(link.path, 'read');
  try {
    let nextLine = 1;
    for await (const lines of readLines(file, link.countedBytes)) {
      const block = new LineBlock(lines, nextLine, link.countedBytes);
      nextLine += block.lineCount;
      for (let line = block.firstLine === 1 ? 1 : 0; line < block.lineCount; ) {
        const events = replayedEvents(block, line, link.segment) ?? [];
        if (events.length === 0) throw changed(link, block.firstLine + line);
        yield events;
        line += events.length;
      }
    }
  } finally {
    await file.close();
  }
}

/** The next events of a block from a line on, all of our own batches; undefined when they are no JSON. */
export function replayedEvents(block: LineBlock, line: number, segment: string): ReplayedEvent[] | undefined {
  return block.events(line)?.map((event, at) => ({
    event,
    ours: true,
    segment,
    segmentLine: block.firstLine + line + at,
    offset: block.offsetOf(line + at),
  }));
}

/** Of lines that were vouched for a moment ago: whoever changed them since did it under our eyes. */
function changed(link: ChainLink, lineNumber: number): AgentopsdError {
  return new AgentopsdError(
    'ledger_unreadable',
    `${link.segment} changed while it was read, at line ${lineNumber} or soon after`,
    {
      hint: 'Try again.',
    },
  );
}

async function* checkedBlocks({ disk, home }: ReplayOptions, link: ChainLink): AsyncGenerator<ReplayedEvent[]> {
  const file = await disk.open(link.path, 'read');
  try {
    const source = {
      file,
      segment: link.segment,
      toByte: link.countedBytes,
      key: home?.key,
      ownHeader: link.ours,
      hasHeader: true,
    };
    for await (const { events, ours } of walkBatches(source, new FaultList())) {
      yield events.map(({ event, offset, lineNumber }) => ({
        event,
        ours,
        segment: link.segment,
        segmentLine: lineNumber,
        offset,
      }));
    }
  } finally {
    await file.close();
  }
}

/**
 * The events that a plan counts, read from the files in order. A damaged line that still reads like an event is among
 * them, but not as ours: it is served, told as damage, and changes no job of ours.
 */
import { AgentopsdError } from '../base/errors.js';
import { FaultList } from './fault.js';
import type { ReplayedEvent } from './ledger.js';
import type { EventLine } from './line.js';
import { textOf } from './line.js';
import { readBlocks } from './reader.js';
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
    for await (const pieces of readBlocks(file, { toByte: link.countedBytes })) {
      const block: ReplayedEvent[] = [];
      for (const { bytes, lineNumber, offset } of pieces) {
        if (lineNumber === 1) continue;
        block.push({
          event: parsed(bytes, link, lineNumber),
          ours: true,
          segment: link.segment,
          segmentLine: lineNumber,
          offset,
        });
      }
      if (block.length > 0) yield block;
    }
  } finally {
    await file.close();
  }
}

/** Of a line that was vouched for a moment ago: whoever changed it since did it under our eyes. */
function parsed(bytes: Uint8Array, link: ChainLink, lineNumber: number): EventLine {
  try {
    return JSON.parse(textOf(bytes)) as EventLine;
  } catch {
    throw new AgentopsdError('ledger_unreadable', `${link.segment}:${lineNumber} changed while it was read`, {
      hint: 'Try again.',
    });
  }
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

/**
 * Where a reader of the events wants to go on. A cursor is an event id: its number leads to the one event that can bear
 * it, and only when that event really has this id is the cursor known. So a cursor costs the same at any length.
 */
import { AgentopsdError } from '../base/errors.js';
import { seqOfEventId } from '../model/event.js';
import type { HttpKernel } from './dependencies.js';

/**
 * The `seq` of the first event behind the cursor; 1 without one.
 * @throws AgentopsdError `unknown_cursor`
 */
export async function firstSeqBehind(kernel: HttpKernel, cursors: readonly string[]): Promise<number> {
  if (cursors.length === 0) return 1;
  for (const cursor of cursors) {
    const seq = await seqOfCursor(kernel, cursor);
    if (seq !== undefined) return seq + 1;
  }
  throw new AgentopsdError(
    'unknown_cursor',
    'the cursor is no event of this ledger; give an event_id that this daemon answered with',
  );
}

async function seqOfCursor(kernel: HttpKernel, cursor: string): Promise<number | undefined> {
  const seq = seqOfEventId(cursor);
  if (seq === undefined || seq < 1 || seq > kernel.ledger.lastSeq()) return undefined;
  for await (const { event } of kernel.ledger.read(seq, seq)) return event.event_id === cursor ? seq : undefined;
  // The event's own line is damaged: nobody can say that the cursor is wrong, and its reader has to get on.
  return kernel.ledger.health().damage.length > 0 ? seq : undefined;
}

/** What a `Last-Event-ID` header may mean: a header holds latin1 only, so its bytes are UTF-8, or it is percent-encoded. */
export function readingsOfHeader(value: string): string[] {
  const text = Buffer.from(value, 'latin1').toString('utf8').trim();
  if (text === '') return [];
  try {
    return [...new Set([text, decodeURIComponent(text)])];
  } catch {
    return [text];
  }
}

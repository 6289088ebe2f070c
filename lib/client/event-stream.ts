/**
 * `text/event-stream` as the daemon sends it: one event of the ledger a message, its id as the message's id, comments
 * as signs of life. Only `data` is used: the event in it carries its own id.
 */
import { isJsonObject } from '../base/json.js';
import type { components } from '../model/contract.js';

export type Event = components['schemas']['Event'];

/** The events of a body, until it ends. Messages that hold no event are passed over. */
export async function* eventsOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<Event> {
  let data: string[] = [];
  for await (const line of linesOf(body)) {
    if (line !== '') {
      const field = /^data: ?(.*)$/s.exec(line);
      if (field !== null) data.push(field[1] as string);
      continue;
    }
    const event = data.length === 0 ? undefined : eventFrom(data.join('\n'));
    data = [];
    if (event !== undefined) yield event;
  }
}

function eventFrom(text: string): Event | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) && typeof value['event_id'] === 'string' ? (value as unknown as Event) : undefined;
  } catch {
    return undefined;
  }
}

/** Whole lines without their `\n`, `\r\n` or `\r`; what stands behind the last one was cut off and is dropped. */
async function* linesOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body) {
    rest += decoder.decode(chunk, { stream: true });
    // A `\r` at the very end may be half of a `\r\n`: it waits for the next chunk.
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() as string;
    yield* lines;
  }
}

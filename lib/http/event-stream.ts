/**
 * The events as `text/event-stream`: first what is there, then each event as it becomes durable, in one order without a
 * gap. The stream's id is the event's id, so a reader that reconnects goes on where it was. A comment now and then keeps
 * the connection known to be alive.
 */
import { limits } from '../base/limits.js';
import type { StoredEvent } from '../storage/ledger.js';
import { beginStream } from './answers.js';
import { eventView } from './event-view.js';
import type { Exchange, HttpService } from './exchange.js';
import { outflowOf } from './outflow.js';

export async function sendEventStream(exchange: Exchange, service: HttpService, fromSeq: number): Promise<void> {
  const { request, response } = exchange;
  beginStream(exchange, 'text/event-stream', { 'X-Accel-Buffering': 'no' });
  if (request.method === 'HEAD') return void response.end();
  response.flushHeaders();
  const gone = new AbortController();
  const leave = (): void => gone.abort();
  response.on('close', leave);
  const stopBeating = beat(exchange, service);
  service.activity.eventStreams++;
  try {
    await follow(exchange, service, fromSeq, AbortSignal.any([gone.signal, service.closing]));
  } finally {
    service.activity.eventStreams--;
    stopBeating();
    response.off('close', leave);
    response.end();
  }
}

async function follow(exchange: Exchange, service: HttpService, fromSeq: number, signal: AbortSignal): Promise<void> {
  const outflow = outflowOf(exchange, service);
  for await (const stored of service.dependencies.kernel.ledger.tail(fromSeq, signal)) {
    if (signal.aborted || !(await outflow.write(streamText(stored)))) return;
  }
}

/** One event of the stream. JSON has no newline, so one `data` line holds it. */
export function streamText(stored: StoredEvent): string {
  return `id: ${stored.event.event_id.replace(/[\r\n\0]/g, '')}\ndata: ${JSON.stringify(eventView(stored))}\n\n`;
}

/** A comment at each beat, unless the reader has not yet taken what waits for it; the answer ends it. */
function beat({ response }: Exchange, { dependencies: { clock } }: HttpService): () => void {
  let cancel = (): void => {};
  const next = (): void => {
    if (response.writableLength === 0) response.write(': alive\n\n');
    cancel = clock.after(limits.eventStreamHeartbeatMs, next);
  };
  cancel = clock.after(limits.eventStreamHeartbeatMs, next);
  return () => cancel();
}

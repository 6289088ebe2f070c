/**
 * `GET /v1/events`: the history, in the ledger's order, as one JSON object that is written while it is read: memory
 * stays flat whatever the length. With `Accept: text/event-stream` it goes on as a stream (`event-stream.ts`).
 */
import { limits } from '../base/limits.js';
import type { StoredEvent } from '../storage/ledger.js';
import { beginStream } from './answers.js';
import { firstSeqBehind, readingsOfHeader } from './cursor.js';
import { sendEventStream } from './event-stream.js';
import { eventView } from './event-view.js';
import type { Exchange, Handler, HttpService } from './exchange.js';
import { outflowOf } from './outflow.js';
import { oneQuery, wholeNumber } from './query.js';

export const events: Handler = async (exchange, service) => {
  const asksForStream = /(^|[\s,])text\/event-stream\b/i.test(exchange.request.headers.accept ?? '');
  const limit = wholeNumber(exchange.query, 'limit');
  const fromSeq = await firstSeqBehind(service.dependencies.kernel, cursorsOf(exchange, asksForStream));
  if (asksForStream) return sendEventStream(exchange, service, fromSeq);
  await sendEvents(exchange, service, fromSeq, limit === undefined ? undefined : Math.min(limit, limits.eventsPerPage));
};

/** A reconnecting stream says where it was in a header, which then is newer than the query of its address. */
function cursorsOf({ request, query }: Exchange, asksForStream: boolean): string[] {
  const header = request.headers['last-event-id'];
  const fromHeader = asksForStream && typeof header === 'string' ? readingsOfHeader(header) : [];
  const since = oneQuery(query, 'since');
  const afterId = oneQuery(query, 'after_id');
  if (fromHeader.length > 0) return fromHeader;
  const cursor = since ?? afterId;
  return cursor === undefined ? [] : [cursor];
}

async function sendEvents(
  exchange: Exchange,
  service: HttpService,
  fromSeq: number,
  limit: number | undefined,
): Promise<void> {
  const { kernel } = service.dependencies;
  const { lastSeq, lastEventId } = kernel.state;
  const corrupt = kernel.ledger
    .health()
    .damage.map(({ line_number, error, quarantine_path, segment, segment_line }) => ({
      line_number,
      error,
      ...(quarantine_path === undefined ? {} : { quarantine_path }),
      segment,
      segment_line,
    }));
  const reader =
    limit === 0 || fromSeq > lastSeq ? undefined : kernel.ledger.read(fromSeq, lastSeq)[Symbol.asyncIterator]();
  try {
    // The first event is read before the answer begins: a ledger that can't be read is told with a status of its own.
    const first = await reader?.next();
    beginStream(exchange, 'application/json');
    const outflow = outflowOf(exchange, service);
    const isWhole = await writeEvents(outflow, reader, first, limit ?? Number.POSITIVE_INFINITY);
    if (!isWhole) return;
    const tail = {
      ...(corrupt.length === 0 ? {} : { corrupt }),
      ...(lastEventId === undefined ? {} : { last_event_id: lastEventId }),
    };
    const tailText = JSON.stringify(tail).slice(1);
    await outflow.write(tailText === '}' ? ']}' : `],${tailText}`);
    outflow.end();
  } finally {
    await reader?.return?.();
  }
}

type Reader = AsyncIterator<StoredEvent>;

/** Writes the list without its closing bracket; false when the reader of the answer is gone. */
async function writeEvents(
  outflow: ReturnType<typeof outflowOf>,
  reader: Reader | undefined,
  first: IteratorResult<StoredEvent> | undefined,
  limit: number,
): Promise<boolean> {
  let piece = '{"events":[';
  let written = 0;
  for (let next = first; reader !== undefined && next !== undefined && !next.done; next = await reader.next()) {
    piece += `${written === 0 ? '' : ','}${JSON.stringify(eventView(next.value))}`;
    written++;
    if (piece.length >= limits.httpPieceBytes) {
      if (!(await outflow.write(piece))) return false;
      piece = '';
    }
    if (written >= limit) break;
  }
  return outflow.write(piece);
}

/** The history as a stream: no gap and no repeat, across reconnects; the end of the server ends it. */
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Served, serve } from '../support/http-kernel.js';

const test = suite<{ served: Served }>('event stream');

test.before.each(async (context) => {
  context.served = await serve();
});
test.after.each(async (context) => {
  await context.served.close();
});

interface Stream {
  readonly response: IncomingMessage;
  readonly request: ClientRequest;
  /** Resolves with the ids once there are so many. */
  ids(count: number): Promise<string[]>;
  readonly text: () => string;
  readonly ended: Promise<void>;
}

function open(served: Served, path = '/v1/events', headers: Record<string, string> = {}): Promise<Stream> {
  return new Promise((resolve, reject) => {
    const options = {
      port: served.port,
      host: '127.0.0.1',
      path,
      agent: false,
      headers: { Accept: 'text/event-stream', ...headers },
    };
    const request = httpRequest({ ...options, signal: AbortSignal.timeout(10_000) });
    request.on('error', reject);
    request.on('response', (response) => resolve(follow(request, response)));
    request.end();
  });
}

function follow(request: ClientRequest, response: IncomingMessage): Stream {
  let text = '';
  const seen = (): string[] => [...text.matchAll(/^id: (.*)\ndata: (.*)\n\n/gm)].map((match) => match[1] as string);
  response.setEncoding('utf8');
  response.on('error', () => {});
  return {
    request,
    response,
    text: () => text,
    ended: new Promise((resolve) => response.on('close', () => resolve())),
    ids: (count) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (seen().length < count) return;
          response.off('data', onData);
          resolve(seen());
        };
        const onData = (piece: string): void => {
          text += piece;
          look();
        };
        response.on('data', onData);
        response.on('close', () => reject(new Error(`the stream ended at ${seen().length} events of ${count}`)));
        look();
      }),
  };
}

async function submit(served: Served, jobId: string): Promise<string> {
  return String((await served.mutate('/v1/jobs', { job_type: 'rpi.run', job_id: jobId })).body['last_event_id']);
}

test('first what is there, then what comes', async ({ served }) => {
  const first = await submit(served, 'a');
  const stream = await open(served);
  assert.is(stream.response.headers['content-type'], 'text/event-stream');
  assert.equal(await stream.ids(1), [first]);
  const second = await submit(served, 'b');
  assert.equal(await stream.ids(2), [first, second]);
  const data = JSON.parse(/^data: (.*)$/m.exec(stream.text())?.[1] ?? '') as Record<string, unknown>;
  assert.is(data['event_id'], first);
  assert.is(data['seq'], 1);
  stream.request.destroy();
});

test('a reader goes on behind the last event it got', async ({ served }) => {
  const ids = [await submit(served, 'a'), await submit(served, 'bü'), await submit(served, 'c')];
  const resumed = async (path: string, headers: Record<string, string>, count: number): Promise<string[]> => {
    const stream = await open(served, path, headers);
    const got = await stream.ids(count);
    stream.request.destroy();
    return got;
  };
  const utf8 = Buffer.from(ids[1] as string, 'utf8').toString('latin1');
  assert.equal(await resumed('/v1/events', { 'Last-Event-ID': utf8 }, 1), ids.slice(2));
  assert.equal(await resumed('/v1/events', { 'Last-Event-ID': encodeURIComponent(ids[1] as string) }, 1), ids.slice(2));
  assert.equal(await resumed(`/v1/events?since=${encodeURIComponent(ids[0] as string)}`, {}, 2), ids.slice(1));
  assert.equal(await resumed(`/v1/events?since=${ids[0]}`, { 'Last-Event-ID': utf8 }, 1), ids.slice(2));
  const unknown = await served.ask('GET', '/v1/events', {
    headers: { Accept: 'text/event-stream', 'Last-Event-ID': 'nope' },
  });
  assert.is(unknown.status, 400);
});

test('without gap or repeat while many write and the reader reconnects (E6)', async ({ served }) => {
  const writing = Promise.all(Array.from({ length: 60 }, (_, at) => submit(served, `job_${at}`)));
  const got: string[] = [];
  while (got.length < 60) {
    const stream = await open(served, '/v1/events', got.length === 0 ? {} : { 'Last-Event-ID': got.at(-1) as string });
    got.push(...(await stream.ids(Math.min(7, 60 - got.length))));
    stream.request.destroy();
  }
  await writing;
  assert.equal(
    got.slice(0, 60),
    served.ledger.events.map((event) => event.event_id),
  );
});

test('the end of the server ends the stream', async ({ served }) => {
  const stream = await open(served);
  stream.response.resume();
  const startedMs = performance.now();
  await Promise.all([served.close(), stream.ended]);
  assert.ok(performance.now() - startedMs < 1500);
});

test('a reader that left is forgotten', async ({ served }) => {
  const stream = await open(served);
  stream.request.destroy();
  await stream.ended;
  const endsAt = performance.now() + 5000;
  for (;;) {
    const { text } = await served.ask('GET', '/metrics');
    if (text.includes('agentopsd_http_event_streams 0\n')) break;
    assert.ok(performance.now() < endsAt, text);
  }
});

test('HEAD of a stream ends at once', async ({ served }) => {
  const answer = await served.ask('HEAD', '/v1/events', { headers: { Accept: 'text/event-stream' } });
  assert.is(answer.status, 200);
});

test.run();

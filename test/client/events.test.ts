import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { eventsOf } from '../../lib/client/event-stream.js';
import { type AgentopsdError, createClient, type Event } from '../../lib/client/index.js';
import { type FakeDaemon, json, startFakeDaemon } from '../support/fake-daemon.js';

const test = suite('client events');
const open: FakeDaemon[] = [];
test.after.each(async () => {
  for (const daemon of open.splice(0)) await daemon.close();
});

async function fake(...[answer]: Parameters<typeof startFakeDaemon>): Promise<FakeDaemon> {
  const daemon = await startFakeDaemon(answer);
  open.push(daemon);
  return daemon;
}

function event(seq: number): Event {
  return {
    schema_version: 1,
    event_id: `evt_job.accepted_j_${String(seq).padStart(6, '0')}`,
    request_id: 'r',
    job_id: 'j',
    event_type: 'job.accepted',
    occurred_at: '2026-01-01T00:00:00Z',
    actor: 'a',
    seq,
  };
}

function message(seq: number): string {
  return `id: ${event(seq).event_id}\ndata: ${JSON.stringify(event(seq))}\n\n`;
}

async function seqs(events: AsyncIterable<Event>): Promise<number[]> {
  const all: number[] = [];
  for await (const { seq } of events) all.push(seq as number);
  return all;
}

test('reads a stream however it is cut', async () => {
  const text = `: alive\r\n\r\n${message(1)}${message(2).replaceAll('\n', '\r\n')}event: x\ndata: {"not":"an event"}\n\ndata: nonsense\n\n${message(3)}data: {"cut`;
  const bytes = Buffer.from(text);
  for (const size of [1, 2, 7, bytes.length]) {
    const pieces = async function* () {
      for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
    };
    assert.equal(await seqs(eventsOf(pieces())), [1, 2, 3], `pieces of ${size}`);
  }
});

test('reads all pages, each behind the last event got', async () => {
  const all = Array.from({ length: 2_300 }, (_, at) => event(at + 1));
  const daemon = await fake(({ url }, response) => {
    const query = new URL(url, 'http://x').searchParams;
    const from = all.findIndex(({ event_id }) => event_id === query.get('since')) + 1;
    json(response, 200, { events: all.slice(from, from + Number(query.get('limit'))) });
  });
  const client = createClient({ url: daemon.url });
  assert.is((await seqs(client.events())).length, 2_300);
  assert.is(daemon.asked.length, 3);
  assert.equal(await seqs(client.events({ since: event(10).event_id, limit: 3 })), [11, 12, 13]);
  assert.equal(await seqs(client.events({ limit: 0 })), []);
});

test('goes on behind the last event got when the connection is lost', async () => {
  const daemon = await fake(({ url }, response, number) => {
    if (number === 3) return response.destroy();
    const since = new URL(url, 'http://x').searchParams.get('since');
    const from = since === null ? 1 : Number(since.slice(-6)) + 1;
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(message(from) + message(from + 1));
    if (number === 1) setImmediate(() => response.destroy());
    else response.end();
  });
  const controller = new AbortController();
  const got: number[] = [];
  for await (const { seq } of createClient({ url: daemon.url }).events({ follow: true, signal: controller.signal })) {
    got.push(seq as number);
    if (got.length === 6) controller.abort();
  }
  assert.equal(got, [1, 2, 3, 4, 5, 6]);
  assert.is(daemon.asked[0]?.headers.accept, 'text/event-stream');
});

test('no first connection is an error, and so is a cursor that nobody knows', async () => {
  const gone = await fake(() => {});
  await gone.close();
  for (const [daemon, code] of [
    [gone, 'daemon_unreachable'],
    [await fake((_, response) => json(response, 400, { error: 'unknown cursor' })), 'unknown_cursor'],
  ] as const) {
    try {
      await seqs(createClient({ url: daemon.url }).events({ follow: true }));
      assert.unreachable();
    } catch (error) {
      assert.is((error as AgentopsdError).code, code);
    }
  }
});

test('following ends when it is told to, also while nothing comes', async () => {
  const controller = new AbortController();
  const daemon = await fake((_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(message(1));
  });
  const got: number[] = [];
  for await (const { seq } of createClient({ url: daemon.url }).events({ follow: true, signal: controller.signal })) {
    got.push(seq as number);
    setImmediate(() => controller.abort());
  }
  assert.equal(got, [1]);
});

test.run();

/** Every example of the document: each request is sent as it stands there, and each answer comes back as it is written. */
import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { limits } from '../../lib/base/limits.js';
import { documentedExamples, timeless } from '../support/examples.js';
import { type Answer, exchangeBytes } from '../support/http-client.js';
import { type Served, type Serving, serve } from '../support/http-kernel.js';
import { accepted } from '../support/model.js';

const test = suite('examples');
const examples = documentedExamples();
/** What the tests below have sent, or seen come back. */
const used = new Set<string>();

function requestOf(name: string): unknown {
  assert.ok(examples.has(name), name);
  used.add(name);
  return examples.get(name);
}

/** The answer is the example of this name. */
function is(name: string, answer: Pick<Answer, 'body' | 'text'>): void {
  const wanted = examples.get(name);
  used.add(name);
  if (process.env['AGENTOPSD_SHOW_EXAMPLES'] !== undefined && wanted === undefined)
    return void process.stdout.write(`\n@@ ${name}\n${answer.text}\n`);
  if (typeof wanted === 'string') assert.is(answer.text.slice(0, wanted.length), wanted, name);
  else assert.equal(timeless(answer.body, wanted), wanted, name);
}

async function withServer(run: (served: Served) => Promise<void>, serving: Serving = {}): Promise<void> {
  const served = await serve(serving);
  try {
    await run(served);
  } finally {
    await served.close();
  }
}

const page = () => requestOf('submitJob request page');

test('what an empty ledger shows', () =>
  withServer(async (served) => {
    is('getHealth 200', await served.ask('GET', '/v1/health'));
    is('getReady 200 empty', await served.ask('GET', '/v1/ready'));
    is('getConsumerHealth 200', await served.ask('GET', '/openclaw/v1/health'));
    is('getMetrics 200', await served.ask('GET', '/metrics'));
    is('adopt 202', await served.mutate('/v1/adopt', requestOf('adopt request everything')));
  }));

test("the page's submit, and what every read then shows", () =>
  withServer(async (served) => {
    is('submitJob 202 page', await served.mutate('/v1/jobs', page()));
    is('getStatus 200', await served.ask('GET', '/v1/status'));
    is('getEvents 200', await served.ask('GET', '/v1/events'));
    is('getJob 200', await served.ask('GET', '/v1/jobs/job_rpi_000001'));
    is('getConsumerSnapshot 200', await served.ask('GET', '/openclaw/v1/snapshot/latest'));
    is('getConsumerRuns 200', await served.ask('GET', '/openclaw/v1/runs'));
    is('getConsumerJobs 200', await served.ask('GET', '/openclaw/v1/jobs'));
    is('getConsumerWiki 200', await served.ask('GET', '/openclaw/v1/wiki'));
    const at = served.ledger.events[0]?.occurred_at ?? '';
    const ask = `GET /v1/events HTTP/1.1\r\nHost: 127.0.0.1:${served.port}\r\nAccept: text/event-stream\r\n\r\n`;
    const raw = await exchangeBytes(served.port, ask, (text) => text.includes('data: ') && text.endsWith('\n\n\r\n'));
    const stream = raw.slice(raw.indexOf('id: ')).replace(at, '2026-04-30T12:00:00.000Z');
    is('getEvents 200 stream', { text: stream, body: {} });
    is('Cancelled', await served.mutate('/v1/jobs/cancel', requestOf('cancelJob request')));
    const { body } = await served.mutate('/v1/jobs', requestOf('submitJob request smallest'));
    assert.is(body['accepted'], true);
    const again = await served.mutate('/v1/jobs/job_rpi_000001/cancel', requestOf('cancelJobByPath request'));
    assert.is(again.body['outcome'], 'already_terminal_cancelled');
  }));

test('the trigger', () =>
  withServer(async (served) => {
    is('triggerJob 202', await served.mutate('/openclaw/v1/triggers/jobs', requestOf('triggerJob request')));
  }));

test('adoption by name', () =>
  withServer(
    async (served) => {
      const { body } = await served.mutate('/v1/adopt', requestOf('adopt request named'));
      assert.is((body['adopted'] as unknown[]).length, 1);
    },
    { replayed: [accepted('rpi.run', { job_id: 'job_rpi_000001' })], oursWhen: () => false },
  ));

test('a damaged ledger', () =>
  withServer(
    async (served) => {
      served.ledger.condition = {
        damage: [{ line_number: 3, segment: '000001-3f9a2c1b.jsonl', segment_line: 3, error: 'not JSON' }],
        writable: true,
        reasons: [],
        claimsHeldThroughSeq: 3,
      };
      is('getReady 200 damaged', await served.ask('GET', '/v1/ready'));
      const refused = await served.mutate('/openclaw/v1/triggers/jobs', requestOf('triggerJob request'));
      assert.is(refused.status, 503);
      is('triggerJob 503 notReady', refused);
    },
    {
      replayed: [
        accepted('rpi.run', { job_id: 'job_a' }),
        accepted('rpi.run', { job_id: 'job_b', seq: 3, event_id: 'evt_job.accepted_job_b_000003' }),
      ],
    },
  ));

test('the log of a job', async () => {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'agentopsd-')));
  try {
    const file = join(root, 'output.log');
    await writeFile(file, 'phase 1 of 3: discovery\nphase 2 of 3: implementation\n');
    await withServer(
      async (served) => {
        await served.mutate('/v1/jobs', page());
        is('getJobLog 200', await served.ask('GET', '/v1/jobs/job_rpi_000001/log'));
      },
      { dependencies: { root, runLog: async () => file } },
    );
  } finally {
    await rm(root, { recursive: true });
  }
});

test('refusals', () =>
  withServer(async (served) => {
    const refused = async (name: string, status: number, asking: Promise<Answer>): Promise<void> => {
      const answer = await asking;
      assert.is(answer.status, status, name);
      is(name, answer);
    };
    await refused('BadRequest notJson', 400, served.mutate('/v1/jobs', '{'));
    const long = { job_type: 'rpi.run', idempotency_key: 'k'.repeat(300) };
    await refused('BadRequest keyTooLong', 400, served.mutate('/v1/jobs', long));
    await refused('Denied', 403, served.ask('POST', '/v1/jobs', { body: page() }));
    await refused('UnknownJob', 404, served.mutate('/v1/jobs/cancel', { job_id: 'job_rpi_000009' }));
    await refused('WrongMethod', 405, served.ask('GET', '/v1/jobs'));
    await refused('TooLarge', 413, served.mutate('/v1/jobs', ' '.repeat(limits.requestBodyBytes + 1)));
    const plain = { headers: { 'Content-Type': 'text/plain' } };
    await refused('WrongType type', 415, served.mutate('/v1/jobs', page(), plain));
    const zipped = { headers: { 'Content-Encoding': 'gzip' } };
    await refused('WrongType compressed', 415, served.mutate('/v1/jobs', page(), zipped));
    const head = { headers: { 'X-Long': 'x'.repeat(20_000) } };
    await refused('HeadTooLarge', 431, served.ask('GET', '/v1/health', head));
    assert.is(served.lastSeq(), 0);
  }));

test('what is not written, or nobody knows', () =>
  withServer(
    async (served) => {
      const at = (failpoint: string) =>
        served.mutate('/v1/jobs', page(), { headers: { 'X-AgentOps-Failpoint': failpoint } });
      is('NotWritten beforeAppend', await at('before_append'));
      assert.is(served.lastSeq(), 0);
      is('NotWritten afterAppend', await at('after_append_before_ack'));
      is('submitJob 202 page', await served.mutate('/v1/jobs', page()));
      assert.is(served.lastSeq(), 1);
    },
    { dependencies: { failpoints: true } },
  ));

test("the daemon's own fault", () =>
  withServer(async (served) => {
    Object.defineProperty(served.kernel, 'viewContext', { value: () => assert.unreachable() });
    is('Fault', await served.ask('GET', '/v1/ready'));
  }));

test('too many connections', () =>
  withServer(async (served) => {
    const sockets: Socket[] = [];
    try {
      for (let at = 0; at < limits.httpConnections; at++) {
        const socket = connect(served.port, '127.0.0.1');
        sockets.push(socket);
        socket.on('error', () => {});
        if (at % 128 === 127) await new Promise((resolve) => socket.on('connect', resolve));
      }
      is('Overloaded', await served.ask('GET', '/v1/health'));
    } finally {
      for (const socket of sockets) socket.destroy();
    }
  }));

test('a request that takes too long, which holds nobody else up', () =>
  withServer(async (served) => {
    const deadlineMs = limits.httpHeadMs + 5_000;
    const hanging = exchangeBytes(served.port, 'GET /v1/health HTTP/1.1\r\nHost: ', () => false, deadlineMs);
    assert.is((await served.mutate('/v1/jobs', page())).status, 202);
    const text = await hanging;
    assert.match(text, /^HTTP\/1.1 408 /);
    is('TooSlow', { text, body: JSON.parse(text.slice(text.indexOf('{'))) });
  }));

test('no example is left out', () => {
  // The document is its own example.
  const all = [...examples.keys()].filter((name) => name !== 'getDocument 200');
  assert.equal(
    all.filter((name) => !used.has(name)),
    [],
  );
  assert.equal(
    all.filter((name) => examples.get(name) === undefined),
    [],
  );
});

test.run();

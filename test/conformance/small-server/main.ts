/**
 * A small JobSpec server, written from the contract alone, that shares no line with the daemon or with the program: it
 * takes jobs, knows them again, cancels them and shows them. Nobody works there.
 *
 *   small-server/main.js --port N --keep memory|late|file [--file PATH] [--only-reads]
 *
 * The token comes from SMALL_SERVER_TOKEN.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { parseArgs } from 'node:util';
import { type Keep, keeps, Ledger } from './ledger.js';
import { Queue } from './queue.js';
import { bodyOf, envelopeOf, idOf, mustBeAllowed, Refusal, requestIdOf, textOf } from './requests.js';
import { events, health, judgedAs, queueJob, ready, status } from './views.js';

const { values } = parseArgs({
  options: {
    port: { type: 'string' },
    keep: { type: 'string', default: 'memory' },
    file: { type: 'string' },
    'only-reads': { type: 'boolean', default: false },
  },
});
const token = (process.env['SMALL_SERVER_TOKEN'] ?? '').trim();
if (!keeps.includes(values.keep as Keep)) throw new Error(`--keep is one of ${keeps.join(', ')}`);
const queue = new Queue(new Ledger(values.keep as Keep, values.file ?? ''));

const reads: Readonly<Record<string, (query: URLSearchParams) => object>> = {
  '/v1/health': health,
  '/v1/ready': () => ready(queue),
  '/v1/status': () => status(queue),
  '/v1/events': (query) => events(queue, query),
};
const writes: Readonly<Record<string, (body: Record<string, unknown>) => object>> = values['only-reads']
  ? {}
  : { '/v1/jobs': submit, '/v1/jobs/cancel': cancel };

function submit(body: Record<string, unknown>): object {
  const {
    job_id,
    request_id,
    last_event_id,
    idempotency_key,
    status: now,
  } = written(() => queue.submit(envelopeOf(body)));
  const key = idempotency_key === undefined ? {} : { idempotency_key };
  return { accepted: true, request_id, job_id, status: now, last_event_id, ...judgedAs(queue), ...key };
}

function cancel(body: Record<string, unknown>): object {
  const job_id = idOf(body);
  if (job_id === undefined) throw new Refusal(400, 'job_id is missing');
  const [request_id, reason] = [requestIdOf(body), textOf(body, 'reason')?.trim()];
  const job = queue.jobs.get(job_id);
  if (job === undefined) throw new Refusal(404, 'no such job');
  const outcome = job.status === 'cancelled' ? 'already_terminal_cancelled' : 'cancelled';
  if (outcome === 'cancelled') written(() => queue.cancel(job, request_id, reason || 'cancelled'));
  return { cancelled: true, outcome, job: queueJob(job), ...judgedAs(queue) };
}

/** @throws Refusal where the disk takes nothing */
function written<T>(write: () => T): T {
  try {
    return write();
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal(503, `not written: ${(error as Error).message}`);
  }
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [path = '', query = ''] = (request.url ?? '').split(/\?(.*)/s);
  const [read, write] = [reads[path], writes[path]];
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  if (read !== undefined && isRead)
    return send(
      response,
      200,
      refusing(() => read(new URLSearchParams(query))),
    );
  if (write !== undefined && request.method === 'POST') {
    mustBeAllowed(request.headers, token);
    return send(response, 202, write(await bodyOf(request)));
  }
  if (read === undefined && write === undefined) throw new Refusal(404, 'no such path');
  response.setHeader('allow', read === undefined ? 'POST' : 'GET, HEAD');
  throw new Refusal(405, 'method not allowed');
}

function refusing<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new Refusal(400, (error as Error).message);
  }
}

function send(response: ServerResponse, code: number, body: object): void {
  response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

createServer((request, response) => {
  answer(request, response).catch((error: Error) => {
    request.resume();
    if (error instanceof Refusal) send(response, error.status, { error: error.message, ...error.more });
    else if (response.headersSent) response.destroy();
    else send(response, 500, { error: error.message });
  });
}).listen(Number(values.port), '127.0.0.1');

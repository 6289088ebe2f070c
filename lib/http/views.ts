/** The reads: health, ready, status, and the consumer's views of the same state. */
import { timestamp } from '../base/clock.js';
import { AgentopsdError } from '../base/errors.js';
import { consumerHealth } from '../model/consumer-views.js';
import { type JobType, jobTypes } from '../model/event.js';
import { jobStates } from '../model/job.js';
import type { State } from '../model/state.js';
import type { JobSelection } from '../model/status-view.js';
import { readyView } from '../model/views.js';
import { beginStream, SAFE_HEADERS, sendJson, sendText } from './answers.js';
import type { Exchange, Handler, HttpService } from './exchange.js';
import { type LongView, longResources, longSnapshot, longStatus } from './long-views.js';
import { outflowOf } from './outflow.js';
import { oneQuery, wholeNumber } from './query.js';

/** Pieces of a view that are made in one go: about an eighth of a megabyte. */
const PIECES_AT_ONCE = 2;

export const health: Handler = (exchange, { dependencies }) => {
  const now = timestamp(dependencies.clock.wallMs());
  sendJson(exchange, 200, { status: 'ok', daemon: 'agentopsd', read_only: true, now });
};

export const ready: Handler = (exchange, { dependencies: { kernel } }) => {
  sendJson(exchange, 200, readyView(kernel.state, kernel.viewContext()));
};

export const status: Handler = (exchange, service) => {
  const selection = readSelection(exchange.query, service.dependencies.kernel.state);
  return sendView(exchange, service, `status ${selection.name}`, longStatus(selection));
};

export const consumerHealthView: Handler = (exchange, { dependencies: { kernel } }) => {
  sendJson(exchange, 200, consumerHealth(kernel.state, kernel.viewContext()));
};

/** A list of the consumer's that may be long. */
const listView =
  (name: string, view: LongView): Handler =>
  (exchange, service) =>
    sendView(exchange, service, name, view);

export const consumerSnapshotView = listView('snapshot', longSnapshot);
export const consumerRunsView = listView('runs', longResources('runs', 'run'));
export const consumerJobsView = listView('jobs', longResources('jobs', 'job'));
export const consumerWikiView = listView('wiki', longResources('wiki', 'wiki'));

/** Sends a view with its tag; 304 to a reader that has it already. */
async function sendView(exchange: Exchange, service: HttpService, name: string, make: LongView): Promise<void> {
  const { request, response } = exchange;
  const etag = service.views.etag(name);
  if (hasTag(request.headers['if-none-match'], etag)) {
    response.writeHead(304, { ...SAFE_HEADERS, ETag: etag });
    response.end();
    return;
  }
  const view = service.views.view(name, make);
  if (view.text !== undefined) return sendText(exchange, 200, 'application/json', view.text, { ETag: view.etag });
  beginStream(exchange, 'application/json', { ETag: view.etag });
  const outflow = outflowOf(exchange, service);
  let made = 0;
  for (const piece of view.pieces) {
    if (piece.length > 0 && !(await outflow.write(piece))) return;
    // A long view is made in between other answers, not before them.
    if (++made % PIECES_AT_ONCE === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  outflow.end();
}

function hasTag(header: string | undefined, etag: string): boolean {
  const tags = header?.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return tags?.some((tag) => tag === etag || tag === '*') ?? false;
}

/** `?status=&type=&limit=&after=`; a part that is missing or blank selects everything. */
function readSelection(query: URLSearchParams, state: State): JobSelection & { name: string } {
  const shownStatus = wordOf(query, 'status', [...jobStates, 'degraded']);
  const jobType: JobType | undefined = wordOf(query, 'type', jobTypes);
  const limit = wholeNumber(query, 'limit');
  const afterJobId = oneQuery(query, 'after');
  if (afterJobId !== undefined && state.job(afterJobId) === undefined) {
    throw new AgentopsdError('unknown_cursor', 'after is no job here; give the job_id of a job of an earlier answer');
  }
  return {
    name: JSON.stringify([shownStatus, jobType, limit, afterJobId]),
    ...(limit === undefined ? {} : { limit }),
    ...(afterJobId === undefined ? {} : { afterJobId }),
    matches: (job) =>
      (shownStatus === undefined || job.status === shownStatus) && (jobType === undefined || job.job_type === jobType),
  };
}

function wordOf<Word extends string>(query: URLSearchParams, name: string, words: readonly Word[]): Word | undefined {
  const text = oneQuery(query, name);
  if (text === undefined) return undefined;
  const word = words.find((known) => known === text);
  if (word === undefined) throw new AgentopsdError('invalid_request', `${name} must be one of ${words.join(', ')}`);
  return word;
}

/**
 * A client for one daemon, typed by the contract.
 *
 * - It speaks to loopback addresses alone.
 * - `submit` always carries an idempotency key, its own when the caller has none, so that an answer that got lost is
 *   asked for again with the same key: one job, however often it was sent.
 * - Every error is an `AgentopsdError`: `code` for programs, `message` and `hint` for people, `toData()` for JSON.
 */
import { AgentopsdError } from '../base/errors.js';
import type { components } from '../model/contract.js';
import { loopbackOrigin } from './address.js';
import { type EventQuery, followEvents, readEvents } from './events.js';
import { type Endpoint, exchange, exchangeJson } from './request.js';
import { withRetries } from './retry.js';
import { type Answer, overFetch, type Transport } from './transport.js';
import { type WaitOptions, waitForEnd } from './wait.js';

type Schemas = components['schemas'];
export type Health = Schemas['Health'];
export type Ready = Schemas['Ready'];
export type Status = Schemas['Status'];
export type QueueJob = Schemas['QueueJob'];
export type Events = Schemas['Events'];
export type Event = Schemas['Event'];
export type SubmitRequest = Schemas['SubmitRequest'];
export type SubmitAnswer = Schemas['SubmitAnswer'];
export type CancelAnswer = Schemas['CancelAnswer'];
export type AdoptRequest = Schemas['AdoptRequest'];
export type AdoptAnswer = Schemas['AdoptAnswer'];

export interface ClientOptions {
  /** Such as `http://127.0.0.1:8765`. */
  readonly url: string;
  /** Needed for whatever appends. */
  readonly token?: string | undefined;
  /** Default: the general `fetch`. */
  readonly transport?: Transport;
  /** Of one exchange, streams excepted; default 30 s. */
  readonly requestTimeoutMs?: number;
  /** How long a submit or cancel whose answer got lost is tried again; default 10 s. */
  readonly retryForMs?: number;
}

export interface StatusFilter {
  readonly status?: string | undefined;
  readonly type?: string | undefined;
  readonly limit?: number | undefined;
  /** A job id: the list goes on behind it. */
  readonly after?: string | undefined;
}

/** What a submit came to. */
export interface Submitted {
  readonly answer: SubmitAnswer;
  /** The key the job was submitted with: what to ask with again. */
  readonly idempotency_key: string;
  /** How this use of the key or job id differs from the first one; the answer is the first one's job. */
  readonly conflict: 'payload' | 'job_type' | 'foreign' | undefined;
}

interface Cancellable {
  readonly signal?: AbortSignal | undefined;
}

export interface Client {
  readonly url: string;
  health(options?: Cancellable): Promise<Health>;
  ready(options?: Cancellable): Promise<Ready>;
  status(filter?: StatusFilter, options?: Cancellable): Promise<Status>;
  /** @throws AgentopsdError `unknown_job` */
  job(jobId: string, options?: Cancellable): Promise<QueueJob>;
  /** One page, as `GET /v1/events` answers it. */
  eventsPage(query?: EventQuery): Promise<Events>;
  /** The history from `since` on; with `follow` also what comes, through restarts of the daemon, until `signal` aborts. */
  events(query?: EventQuery & { readonly follow?: boolean }): AsyncGenerator<Event>;
  submit(request: SubmitRequest, options?: Cancellable): Promise<Submitted>;
  cancel(jobId: string, more?: { request_id?: string; reason?: string } & Cancellable): Promise<CancelAnswer>;
  /** The job once it has ended. @throws AgentopsdError `timed_out`; the job goes on */
  wait(jobId: string, options?: WaitOptions): Promise<QueueJob>;
  /** The output of a job as text; with `follow` until the job ends. */
  log(jobId: string, options?: { readonly follow?: boolean } & Cancellable): AsyncGenerator<string>;
  /** Takes over jobs that were accepted elsewhere, or known damage. */
  adopt(request: AdoptRequest): Promise<AdoptAnswer>;
}

const REQUEST_TIMEOUT_MS = 30_000;
const RETRY_FOR_MS = 10_000;
const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 2_000;

/** @throws AgentopsdError `usage` when `url` is no loopback address */
export function createClient(options: ClientOptions): Client {
  const endpoint: Endpoint = Object.freeze({
    origin: loopbackOrigin(options.url),
    token: options.token,
    transport: options.transport ?? overFetch,
    requestTimeoutMs: options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS,
  });
  const retryForMs = options.retryForMs ?? RETRY_FOR_MS;

  async function get<T>(path: string, more: Cancellable = {}): Promise<T> {
    return (await exchangeJson<T>(endpoint, { method: 'GET', path, ...more })).body;
  }

  function post<T>(
    path: string,
    body: unknown,
    more: Cancellable = {},
  ): Promise<{ body: T; headers: Answer['headers'] }> {
    const delays = { retryForMs, firstDelayMs: FIRST_DELAY_MS, longestDelayMs: LONGEST_DELAY_MS, ...more };
    return withRetries(delays, () =>
      exchangeJson<T>(endpoint, { method: 'POST', path, body, notFound: 'unknown_job', ...more }),
    );
  }

  async function job(jobId: string, more: Cancellable = {}): Promise<QueueJob> {
    const path = pathOfJob(jobId);
    if (path !== undefined) {
      return (await exchangeJson<QueueJob>(endpoint, { method: 'GET', path, notFound: 'unknown_job', ...more })).body;
    }
    const { queue } = await get<Status>('/v1/status', more);
    const found = queue.jobs.find((candidate) => candidate.job_id === jobId);
    if (found === undefined) throw new AgentopsdError('unknown_job', `there is no job ${jobId}`);
    return found;
  }

  return {
    url: endpoint.origin,
    health: (more) => get('/v1/health', more),
    ready: (more) => get('/v1/ready', more),
    status: (filter = {}, more = {}) => get(`/v1/status${queryOf({ ...filter })}`, more),
    job,
    eventsPage: (query = {}) => readEvents(endpoint, query),
    events: (query = {}) => followEvents(endpoint, query),
    submit: (request, more) => submitWith(request, (body) => post<SubmitAnswer>('/v1/jobs', body, more)),
    async cancel(jobId, { signal, ...more } = {}) {
      return (await post<CancelAnswer>('/v1/jobs/cancel', { job_id: jobId, ...more }, { signal })).body;
    },
    wait: (jobId, more = {}) => waitForEnd((signal) => job(jobId, { signal }), more),
    log: (jobId, more = {}) => readLog(endpoint, jobId, more),
    adopt: async (request) => (await post<AdoptAnswer>('/v1/adopt', request)).body,
  };
}

type PostSubmit = (body: SubmitRequest) => Promise<{ body: SubmitAnswer; headers: Answer['headers'] }>;

async function submitWith(request: SubmitRequest, postSubmit: PostSubmit): Promise<Submitted> {
  const key = request.idempotency_key ?? crypto.randomUUID();
  const { body, headers } = await postSubmit({ ...request, idempotency_key: key });
  const conflict = headers.get('idempotency-conflict');
  const known = conflict === 'payload' || conflict === 'job_type' || conflict === 'foreign';
  return { answer: body, idempotency_key: key, conflict: known ? conflict : undefined };
}

async function* readLog(
  endpoint: Endpoint,
  jobId: string,
  more: { readonly follow?: boolean } & Cancellable,
): AsyncGenerator<string> {
  const path = pathOfJob(jobId);
  if (path === undefined)
    throw new AgentopsdError('unknown_job', `the output of a job named ${jobId} can't be asked for over HTTP`);
  const response = await exchange(endpoint, {
    method: 'GET',
    path: `${path}/log${more.follow === true ? '?follow=1' : ''}`,
    accept: 'text/plain',
    stream: true,
    notFound: 'unknown_job',
    signal: more.signal,
  });
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) yield decoder.decode(chunk, { stream: true });
  yield decoder.decode();
}

/** Undefined for the names that a path can't carry: a URL folds dots, and `cancel` is a route of its own. */
function pathOfJob(jobId: string): string | undefined {
  if (!jobId.isWellFormed()) throw new AgentopsdError('usage', 'a job id can not hold a lone surrogate');
  return ['.', '..', 'cancel'].includes(jobId) ? undefined : `/v1/jobs/${encodeURIComponent(jobId)}`;
}

function queryOf(members: Record<string, string | number | undefined>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(members)) if (value !== undefined) query.set(name, String(value));
  return query.size === 0 ? '' : `?${query}`;
}

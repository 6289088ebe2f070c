/**
 * What goes over the wire, loosely: the members that somebody may want to spoil, in one shape for all answers. A member
 * is there only in the answers that have it; whoever edits an answer has chosen its route.
 */
import type { Readable } from 'node:stream';

export interface Lag {
  last_event_id?: string;
  event_count: number;
  corrupt_record_count: number;
  degraded: boolean;
}

/** A job in any view. */
export interface WireJob {
  [member: string]: unknown;
  job_id: string;
  job_type: string;
  status: string;
  request_id: string;
  request_ids: string[];
  attempt: number;
  max_attempts: number;
  lease_epoch?: number;
  claim_token?: string;
  lease_expires_at?: string;
  idempotency_key?: string;
  payload?: unknown;
  created_at: string;
  last_event_id: string;
  provenance: { event_id?: string }[];
}

export interface WireEvent {
  [member: string]: unknown;
  event_id: string;
  event_type: string;
  job_id: string;
  request_id: string;
  occurred_at: string;
  actor: string;
  seq: number;
  payload: Record<string, unknown>;
}

export interface Lists {
  runs: WireJob[];
  jobs: WireJob[];
  wiki: WireJob[];
}

export interface Projections {
  manifests: Record<string, { last_event_id?: string; status: string }>;
  jobs: WireJob[];
  rpi: { runs: WireJob[] };
  dream: { runs: WireJob[] };
  wiki: { jobs: WireJob[] };
  openclaw: { resources: Lists; status: string };
}

/** The JSON of an answer. */
export interface Body extends Lists {
  [member: string]: unknown;
  status: string;
  now: string;
  ready: boolean;
  ledger_replay_status: string;
  projection_status: string;
  snapshot_status: string;
  snapshot_id: string;
  projection_lag: Lag;
  degraded_reasons?: string[];
  queue: { jobs: WireJob[]; last_event_id?: string };
  projections: Projections;
  resources: Lists;
  resource_counts: { runs: number; jobs: number; wiki: number };
  source: { ledger: string; last_event_id?: string };
  events: WireEvent[];
  corrupt?: { line_number: number }[];
  last_event_id?: string;
  accepted: boolean;
  cancelled: boolean;
  outcome: string;
  job_id: string;
  job_type: string;
  request_id: string;
  idempotency_key?: string;
  job: WireJob;
}

/** A request, whole. */
export interface Asked {
  readonly method: string;
  /** Without the query; as it came. */
  readonly path: string;
  readonly query: string;
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly body: Buffer;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[]>>;
  /** Empty where there is a `stream`. */
  readonly body: Buffer;
  /** What goes on for as long as it likes, and is passed on as it comes: events as a stream, a log that is followed. */
  readonly stream?: Readable;
}

/** `GET /v1/status`: an unversioned alias counts as what it stands for. */
export function routeOf({ method, path }: Asked): string {
  return `${method} ${/^\/(?:health|ready|status|events|jobs|jobs\/cancel)$/.test(path) ? `/v1${path}` : path}`;
}

/** The JSON of an answer or request; undefined when it is none, or no object. */
export function bodyOf({ body }: { readonly body: Buffer }): Body | undefined {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Body) : undefined;
  } catch {
    return undefined;
  }
}

export function withBody<Message extends { readonly body: Buffer }>(message: Message, value: unknown): Message {
  return { ...message, body: Buffer.from(JSON.stringify(value)) };
}

export function answerOf(status: number, value: unknown): Answer {
  return withBody({ status, headers: { 'content-type': 'application/json' }, body: Buffer.alloc(0) }, value);
}

export function withHeader<Message extends { readonly headers: Asked['headers'] }>(
  message: Message,
  name: string,
  value: string | undefined,
): Message {
  const { [name]: _, ...others } = message.headers;
  return { ...message, headers: value === undefined ? others : { ...others, [name]: value } };
}

/** Every job of every view in an answer, one after the other. */
export function jobsOf(body: Body): WireJob[] {
  const found: WireJob[] = [];
  const look = (value: unknown): void => {
    if (Array.isArray(value)) for (const one of value) look(one);
    else if (typeof value === 'object' && value !== null) {
      if ('job_id' in value && 'status' in value && 'created_at' in value) found.push(value as WireJob);
      else for (const member of Object.values(value)) look(member);
    }
  };
  look(body);
  return found;
}

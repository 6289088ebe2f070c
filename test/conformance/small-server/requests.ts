/** What the small server takes, from whom, and what it refuses. */
import { timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { Envelope } from './queue.js';

export const MAX_BODY_BYTES = 1_048_576;
const MAX_NAME_BYTES = 256;
const JOB_TYPES = `rpi.run rpi.phase dream.run dream.stage wiki.build wiki.forge factory.admission factory.local-pilot
  openclaw.snapshot plans.projection llmwiki.loop eval.suite eval.skill-delta`.split(/\s+/);

export class Refusal extends Error {
  readonly status: number;
  readonly more: object;

  constructor(status: number, message: string, more: object = {}) {
    super(message);
    this.status = status;
    this.more = more;
  }
}

/** @throws Refusal */
export function mustBeAllowed(headers: IncomingHttpHeaders, token: string): void {
  const deny = (reason: string): Refusal => new Refusal(403, `denied: ${reason}`);
  const bearer = /^Bearer\s+(.*)$/i.exec(headers.authorization ?? '')?.[1];
  const own = headers['x-agentops-daemon-token'];
  const shown = Buffer.from((typeof own === 'string' ? own : (bearer ?? '')).trim());
  const secret = Buffer.from(token);
  if (token === '') throw deny('there is no token');
  if (shown.length !== secret.length || !timingSafeEqual(shown, secret)) throw deny('not the token');
  if (headers.origin !== undefined) throw deny('a browser');
  const site = headers['sec-fetch-site'];
  if (typeof site === 'string' && /^(cross|same)-site$/i.test(site.trim())) throw deny('another site');
}

/** The whole body as a JSON object. @throws Refusal */
export async function bodyOf(request: IncomingMessage): Promise<Record<string, unknown>> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    bytes += piece.length;
    // What is too much is read to its end, so that the answer is.
    if (bytes <= MAX_BODY_BYTES) pieces.push(piece);
  }
  if (bytes > MAX_BODY_BYTES) throw new Refusal(413, 'too large', { max_bytes: MAX_BODY_BYTES });
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(pieces)));
  } catch {
    throw new Refusal(400, 'not JSON');
  }
  if (!isObject(value)) throw new Refusal(400, 'not an object');
  return value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A text that may be left out; no text at all counts as left out. @throws Refusal */
export function textOf(body: Record<string, unknown>, name: string): string | undefined {
  const value = body[name] ?? undefined;
  if (value === undefined || value === '') return undefined;
  if (typeof value !== 'string') throw new Refusal(400, `${name} is a text`);
  return value;
}

/** @throws Refusal */
export function idOf(body: Record<string, unknown>): string | undefined {
  const id = textOf(body, 'job_id')?.trim();
  if (id !== undefined && /\p{Cc}/u.test(id)) throw new Refusal(400, 'job_id holds a control character');
  if (Buffer.byteLength(id ?? '') > MAX_NAME_BYTES)
    throw new Refusal(400, `job_id has more than ${MAX_NAME_BYTES} bytes`);
  return id === '' ? undefined : id;
}

/** @throws Refusal */
export function requestIdOf(body: Record<string, unknown>): string | undefined {
  const id = textOf(body, 'request_id')?.trim();
  if (id !== undefined && !/^\S+$/.test(id)) throw new Refusal(400, 'request_id has no white space');
  return id;
}

/** @throws Refusal */
export function envelopeOf(body: Record<string, unknown>): Envelope {
  const job_type = textOf(body, 'job_type');
  if (job_type === undefined) throw new Refusal(400, 'job_type is missing');
  if (!JOB_TYPES.includes(job_type)) throw new Refusal(400, `job_type is one of ${JOB_TYPES.join(', ')}`);
  const idempotency_key = textOf(body, 'idempotency_key');
  const got_bytes = Buffer.byteLength(idempotency_key ?? '');
  if (got_bytes > MAX_NAME_BYTES) {
    throw new Refusal(400, 'idempotency_key is too long', { max_bytes: MAX_NAME_BYTES, got_bytes });
  }
  const payload = body['payload'] ?? {};
  if (!isObject(payload)) throw new Refusal(400, 'payload is an object');
  return { request_id: requestIdOf(body), job_id: idOf(body), job_type, idempotency_key, payload };
}

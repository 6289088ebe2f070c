/** Every variant of an answer that the contract allows. */
import type { ServerResponse } from 'node:http';
import { pause } from '../../../spec/conformance/waiting.js';
import { type Answer, type Body, bodyOf, withHeader } from '../wire.js';
import { otherEventIds, otherNames } from './names.js';
import { eachObject, eachText, type Json, type Variant, type Varied, variant } from './variant.js';

const LATENCY_MS = 300;
const CHUNK_BYTES = 61;
const TIMES = ['now', 'rebuilt_at', 'generated_at', 'occurred_at', 'lease_expires_at', 'created_at', 'updated_at'];
/** Objects whose members are names that somebody chose. */
const MAPS = ['manifests', 'artifacts', 'artifact_refs'];

const extraMembers = (body: Body): unknown =>
  eachObject(body, (object, name) =>
    MAPS.includes(name) ? object : { x_vendor: { since: '3.1', flags: [null, true] }, ...object, x_note: null },
  );

/** Optional ones that are empty, spelled out. */
const emptyMembers = (body: Body): unknown =>
  eachObject(body, (object) => {
    const isJob = 'attempt' in object && 'max_attempts' in object && 'status' in object;
    const job = { idempotency_key: '', lease_epoch: 0, retry_exhausted: false, artifacts: {}, artifact_refs: {} };
    const reasons = 'projection_status' in object || 'snapshot_status' in object ? { degraded_reasons: [] } : {};
    const corrupt = 'events' in object ? { corrupt: [] } : {};
    return { ...reasons, ...corrupt, ...(isJob ? job : {}), ...object };
  });

function reordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reordered);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value as Json).map(([name, inner]) => [name, reordered(inner)] as const);
  return Object.fromEntries(members.reverse());
}

/** The instant is the same, and what is the same stays the same. */
function times(edit: (text: string) => string): Varied {
  return { edit: (body) => eachText(body, TIMES, edit) };
}

function otherwiseWritten(answer: Answer): Answer | undefined {
  const body = bodyOf(answer);
  if (body === undefined) return undefined;
  const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  const text = `\r\n${JSON.stringify(body, null, 2).replace(/[^\n\x20-\x7e]/g, escaped)}\n\n`;
  return { ...answer, body: Buffer.from(text) };
}

/** In pieces that end in the middle of characters, and without a length. */
function inChunks({ status, headers, body }: Answer, response: ServerResponse): void {
  response.writeHead(status, headers);
  response.flushHeaders();
  const step = Math.max(CHUNK_BYTES, Math.ceil(body.length / 50));
  for (let from = 0; from < body.length; from += step) response.write(body.subarray(from, from + step));
  response.end();
}

function shouted({ headers, ...answer }: Answer): Answer {
  const names = Object.entries(headers).map(([name, value]) => [name.toUpperCase(), value] as const);
  return { ...answer, headers: Object.fromEntries(names) };
}

function otherErrors(body: Body, status: number): unknown {
  return status < 400 ? body : { ...body, error: `Das geht so nicht (Fehler ${status}) – bitte prüfen` };
}

export const allVariants: readonly Variant[] = [
  otherEventIds,
  otherNames,
  variant('extra-members', 'every object has members of its own, before and behind those of the contract', {
    edit: extraMembers,
  }),
  variant('empty-members', 'optional members that are empty are spelled out', { edit: emptyMembers }),
  variant('reordered-members', 'members stand the other way around', { edit: reordered }),
  variant(
    'nanoseconds',
    'times have nine digits, and +00:00 for UTC',
    times((text) => text.replace(/(?:\.(\d{1,3}))?Z$/, (_, digits = '') => `.${digits.padEnd(3, '0')}000000+00:00`)),
  ),
  variant('other-errors', 'errors are told in other words', { edit: otherErrors }),
  variant('other-json', 'bodies are indented, and pure ASCII', { answer: otherwiseWritten }),
  variant('charset', 'the content type names its charset', {
    answer: (answer) => withHeader(answer, 'content-type', 'application/json; charset=UTF-8'),
  }),
  variant('other-headers', 'names of headers in capitals, and headers that nobody asked for', {
    answer: (answer) => shouted(withHeader(withHeader(answer, 'x-vendor', 'other'), 'vary', 'Accept')),
  }),
  variant('chunked', 'bodies come in chunks', { write: inChunks }),
  variant('no-head', 'HEAD is a method that no route has', {
    answer: (answer, { method }) =>
      method === 'HEAD' ? withHeader({ ...answer, status: 405 }, 'allow', 'GET') : undefined,
  }),
];

/** Each answer takes its time: too slow for the tests of every day. */
export const latency = variant('latency', `each answer comes ${LATENCY_MS} ms later`, {
  async answer() {
    await pause(LATENCY_MS);
    return undefined;
  },
});

/** Only where leases and heartbeats are seconds apart can whole seconds tell them from one another. */
export const wholeSeconds = variant(
  'whole-seconds',
  'times are whole seconds',
  times((text) => text.replace(/\.\d+Z$/, 'Z')),
);

/** By their names, separated by commas; `all` is every one that goes together, nothing is none. @throws Error */
export function variantsOf(names: string): readonly Variant[] {
  if (names === 'all') return allVariants;
  if (names === '') return [];
  return names.split(',').map((name) => {
    const found = [...allVariants, latency, wholeSeconds].find((each) => each.name === name);
    if (found === undefined) throw new Error(`no variant is called ${name}`);
    return found;
  });
}

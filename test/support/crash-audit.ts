/**
 * An auditor of ledger files that shares no code with what writes and reads them: JSON, SHA-256 and the rules of the
 * format. It takes one chain of segments by name, as one repository without merges has it.
 */
import * as assert from 'node:assert';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface AuditedEvent {
  readonly seq: number;
  readonly event_id: string;
  readonly event_type: string;
  readonly job_id: string;
  readonly payload?: Record<string, unknown>;
}
interface Line extends AuditedEvent {
  readonly prev_hash?: string;
  readonly commit?: { readonly from: number };
  readonly segment?: { readonly after?: { readonly segment: string; readonly length: number } };
}

const ENDED = new Set(['job.completed', 'job.failed', 'job.cancelled']);

/**
 * The events of the ledger that count: up to where the next segment goes on, in the last one up to its last batch.
 * @throws AssertionError for a broken chain, a gap, a second job of a key, or a job that ended twice
 */
export function auditLedger(folder: string): AuditedEvent[] {
  const events = chained(countedSegments(folder));
  const keys = new Map<unknown, string>();
  const accepted = new Set<string>();
  const ended = new Set<string>();
  for (const { event_type: type, job_id: job, payload } of events) {
    if (type === 'job.accepted') {
      assert.ok(!accepted.has(job), `${job} was accepted twice`);
      accepted.add(job);
      const key = payload?.['idempotency_key'];
      if (key !== undefined) assert.ok(!keys.has(key), `key ${key} made ${keys.get(key)} and ${job}`);
      keys.set(key, job);
    } else assert.ok(accepted.has(job), `${job} has ${type} and was never accepted`);
    if (ENDED.has(type)) {
      assert.ok(!ended.has(job), `${job} ended twice`);
      ended.add(job);
    }
  }
  return events;
}

function countedSegments(folder: string): string[] {
  const names = readdirSync(folder)
    .filter((name) => name.endsWith('.jsonl'))
    .sort();
  const texts = new Map(names.map((name) => [name, readFileSync(join(folder, name))]));
  // From the newest back; one that holds its header alone leads on to the one that it goes on from.
  const counted: string[] = [];
  let at = names.at(-1);
  let length: number | undefined;
  while (at !== undefined) {
    const bytes = texts.get(at);
    assert.ok(bytes !== undefined, `${at} is not there`);
    assert.ok(length === undefined || bytes.length >= length, `${at} is cut short`);
    const text = bytes.subarray(0, length ?? bytes.length).toString('utf8');
    counted.unshift(length === undefined ? upToLastBatch(text) : text);
    const { after }: { after?: { segment: string; length: number } } =
      (JSON.parse(text.slice(0, text.indexOf('\n'))) as Line).segment ?? {};
    at = after?.segment;
    length = after?.length;
  }
  return counted;
}

function upToLastBatch(text: string): string {
  const lines = text.split('\n').slice(0, -1);
  const last = lines.findLastIndex((line) => /^\{"actor":.*"commit":\{"from"/.test(line) && isJson(line));
  return lines
    .slice(0, Math.max(last, 0) + 1)
    .map((line) => `${line}\n`)
    .join('');
}

function isJson(line: string): boolean {
  try {
    JSON.parse(line);
    return true;
  } catch {
    return false;
  }
}

function chained(segments: readonly string[]): AuditedEvent[] {
  const events: AuditedEvent[] = [];
  let hash: string | undefined;
  let open = 1;
  for (const text of segments.flatMap((segment) => segment.split('\n').slice(0, -1))) {
    const line = JSON.parse(text) as Line;
    assert.equal(line.prev_hash, hash, `the chain is broken before ${text.slice(0, 200)}`);
    hash = createHash('sha256').update(text).digest('hex');
    if (line.segment !== undefined) continue;
    assert.equal(line.seq, events.length + 1, 'events are counted without a gap');
    events.push(line);
    if (line.commit === undefined) continue;
    assert.equal(line.commit.from, open, 'a batch begins where the last one ended');
    open = line.seq + 1;
  }
  assert.equal(open, events.length + 1, 'the last batch is whole');
  return events;
}

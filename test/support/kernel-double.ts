/**
 * What a worker asks of the kernel, answered from a folder, so that it outlives the process that asked: an event once a
 * job and type, a job once a key. Whoever is killed between two calls finds on the next one what stands there already.
 */
import { createHash } from 'node:crypto';
import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { canonicalJson } from '../../lib/base/canonical.js';
import type { JsonObject } from '../../lib/base/json.js';
import type { RecordedEventType } from '../../lib/model/event.js';
import type { JobEnvelope } from '../../lib/model/worker-protocol.js';
import type { BuiltinContext } from '../../workers/builtin-context.js';

export interface KernelDouble {
  recordEvent(jobId: string, eventType: RecordedEventType, payload: JsonObject): Promise<{ event_id: string }>;
  recordedEvent(jobId: string, eventType: RecordedEventType): Promise<JsonObject | undefined>;
  submitJob: BuiltinContext['submitJob'];
  /** All that was recorded and submitted, sorted. */
  recorded(): unknown[];
}

/** @param folder absolute; made when something is recorded */
export function createKernelDouble(folder: string): KernelDouble {
  return {
    async recordEvent(jobId, event_type, payload) {
      const { name } = once(folder, eventKey(jobId, event_type), { job_id: jobId, event_type, payload });
      return { event_id: `event_${name}` };
    },
    async recordedEvent(jobId, event_type) {
      const file = join(folder, `${nameOf(eventKey(jobId, event_type))}.json`);
      if (!existsSync(file)) return undefined;
      return (JSON.parse(readFileSync(file, 'utf8')) as { payload: JsonObject }).payload;
    },
    async submitJob(envelope: JobEnvelope) {
      const { name, kept } = once(folder, `job:${envelope.idempotency_key}`, envelope);
      const job_id = envelope.job_id ?? `job_${name}`;
      const same = canonicalJson(kept) === canonicalJson(envelope);
      return { job_id, status: 'queued', ...(same ? {} : { conflict: 'the key stands for another job' }) };
    },
    recorded() {
      const names = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.name.endsWith('.json'));
      return names
        .map(({ name }) => name)
        .sort()
        .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as unknown);
    },
  };
}

/** Keeps the first value of a key, whole or not at all. */
function once(folder: string, key: string, value: unknown): { name: string; kept: unknown } {
  const name = nameOf(key);
  const file = join(folder, `${name}.json`);
  const begun = join(folder, `${name}.${process.pid}.begun`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(begun, JSON.stringify(value));
  try {
    linkSync(begun, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  rmSync(begun);
  return { name, kept: JSON.parse(readFileSync(file, 'utf8')) as unknown };
}

function eventKey(jobId: string, eventType: string): string {
  return `event:${jobId}:${eventType}`;
}

function nameOf(key: string): string {
  return createHash('sha256').update(key).digest('hex').slice(0, 16);
}

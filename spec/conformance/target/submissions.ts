/** What a run submitted, so that it can take it back. */
import { type JsonObject, objectsAt, textAt } from '../json.js';
import { inLanes } from '../waiting.js';
import type { Exchange } from './exchange.js';

const CANCEL_LANES = 4;

interface Cancelling {
  status(): Promise<JsonObject>;
  cancel(jobId: string, body: JsonObject): Promise<Exchange>;
}

export class Submissions {
  readonly #jobIds = new Set<string>();

  /** An answer to whatever was asked. */
  remember(answer: Exchange): void {
    const isGood = answer.status >= 200 && answer.status <= 299;
    const jobId = answer.method === 'POST' && isGood ? textAt(answer.json, 'job_id') : undefined;
    if (jobId !== undefined) this.#jobIds.add(jobId);
  }

  /** Cancels what came since it was last called. @param kept ids that are left alone */
  async cancel(target: Cancelling, kept: readonly string[]): Promise<void> {
    const submitted = [...this.#jobIds].filter((id) => !kept.includes(id));
    if (submitted.length === 0) return;
    this.#jobIds.clear();
    await cancelWhere(target, (job) => submitted.includes(textAt(job, 'job_id') ?? ''));
  }
}

/** Cancels every open job that is meant. */
export async function cancelWhere(target: Cancelling, isMeant: (job: JsonObject) => boolean): Promise<void> {
  const jobs = objectsAt(await target.status(), 'queue', 'jobs');
  const open = jobs.filter((job) => isMeant(job) && /^(queued|running|retry_waiting)$/.test(String(job['status'])));
  await inLanes(open, CANCEL_LANES, (job) =>
    target.cancel(String(job['job_id']), { reason: 'conformance run is done' }),
  );
}

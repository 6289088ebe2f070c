/**
 * The answer to a submit as text, the same as `JSON.stringify(submitAnswer(…))` gives. Thousands are made a second, and
 * what they say about the ledger is the same for all jobs of a batch: that part is made once.
 */
import { jsonText } from '../base/json.js';
import type { LedgerHealth } from './health.js';
import { type Job, statusAt } from './job.js';
import type { State } from './state.js';
import type { ViewContext } from './view-context.js';
import { standing } from './views.js';

export class SubmitTexts {
  #standing = '';
  #lastSeq = -1;
  #health: LedgerHealth | undefined;
  #projectionFailure: string | undefined;

  text(job: Job, state: State, context: ViewContext): string {
    const { idempotency_key: key } = job;
    return (
      `{"accepted":true,"request_id":${jsonText(job.request_id)},"job_id":${jsonText(job.job_id)}` +
      `,"status":"${statusAt(job, context.wallMs)}","last_event_id":${jsonText(job.last_event_id)}` +
      `,${this.#standingOf(state, context)}` +
      (key === undefined || key === '' ? '}' : `,"idempotency_key":${jsonText(key)}}`)
    );
  }

  /** The members without their braces. They change with an event, the condition of the ledger, or a failure. */
  #standingOf(state: State, context: ViewContext): string {
    const { health, projectionFailure } = context;
    const isKnown =
      this.#lastSeq === state.lastSeq && this.#health === health && this.#projectionFailure === projectionFailure;
    if (isKnown) return this.#standing;
    this.#standing = JSON.stringify(standing(state, context)).slice(1, -1);
    this.#lastSeq = state.lastSeq;
    this.#health = health;
    this.#projectionFailure = projectionFailure;
    return this.#standing;
  }
}

/** The part of a built-in worker's context that the main thread answers. */
import type { BuiltinContext } from '../builtin-context.js';
import type { Questions } from './questions.js';

type AskingContext = Pick<
  BuiltinContext,
  'consumerSnapshot' | 'recordEvent' | 'recordedEvent' | 'openOrders' | 'submitJob'
>;

/** @param alive throws once the attempt is over */
export function createAskingContext(questions: Questions, alive: () => void): AskingContext {
  return {
    async consumerSnapshot() {
      alive();
      const answer = await questions.ask('consumer_snapshot', (ask) => ({ kind: 'ask_consumer_snapshot', ask }));
      return answer.snapshot;
    },
    async recordEvent(event_type, payload) {
      alive();
      const { event_id } = await questions.ask('event_recorded', (ask) => ({
        kind: 'record_event',
        ask,
        event_type,
        payload,
      }));
      return { event_id };
    },
    async recordedEvent(event_type) {
      alive();
      const answer = await questions.ask('recorded_event', (ask) => ({ kind: 'ask_recorded_event', ask, event_type }));
      return answer.payload;
    },
    async openOrders() {
      alive();
      const answer = await questions.ask('open_orders', (ask) => ({ kind: 'ask_open_orders', ask }));
      return answer.orders;
    },
    async submitJob(envelope) {
      alive();
      const { job_id, status, conflict } = await questions.ask('job_submitted', (ask) => ({
        kind: 'submit_job',
        ask,
        envelope,
      }));
      return { job_id, status, ...(conflict === undefined ? {} : { conflict }) };
    },
  };
}

/** The public client, exported as `agentopsd/client`. */
export { AgentopsdError, type ErrorCode, type ErrorData } from '../base/errors.js';
export {
  type AdoptAnswer,
  type AdoptRequest,
  type CancelAnswer,
  type Client,
  type ClientOptions,
  createClient,
  type Event,
  type Events,
  type Health,
  type QueueJob,
  type Ready,
  type Status,
  type StatusFilter,
  type SubmitAnswer,
  type SubmitRequest,
  type Submitted,
} from './client.js';
export type { EventQuery } from './events.js';
export type { Answer, Sent, Transport } from './transport.js';
export { hasEnded, type WaitOptions } from './wait.js';

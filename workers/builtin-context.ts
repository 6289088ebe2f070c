/** What the built-in workers get beside the public context. */

import type { JsonObject } from '../lib/base/json.js';
import type { components } from '../lib/model/contract.js';
import type { RecordedEventType } from '../lib/model/event.js';
import type { JobEnvelope, OpenOrder, WorkerJob } from '../lib/model/worker-protocol.js';
import type { Agent } from './agents/agent.js';
import type { JobContext } from './context.js';
import type { Spawn } from './process/spawn.js';

export type ConsumerSnapshot = components['schemas']['ConsumerSnapshot'];

export interface BuiltinContext extends JobContext {
  /** The agent that the configuration gives to this job type, if any. */
  readonly agent: Agent | undefined;
  /** Whether commands that stand in a payload, or in a file that it names, may run: the trusted configuration says so. */
  readonly allowPayloadCommands: boolean;
  /** As the public one, with what only built-in workers may ask for. */
  readonly spawn: Spawn;
  /** The consumer snapshot at the ledger's head. */
  consumerSnapshot(): Promise<ConsumerSnapshot>;
  /**
   * Records an event of this job beyond its life, under the attempt's claim; once a job: a second call answers the first
   * one's event, also in a later attempt.
   * @throws JobFailure when the claim is no longer held
   */
  recordEvent(eventType: RecordedEventType, payload: JsonObject): Promise<{ event_id: string }>;
  /** The payload of what an earlier attempt recorded of this type, without its claim; undefined when there is none. */
  recordedEvent(eventType: RecordedEventType): Promise<JsonObject | undefined>;
  /** Other jobs that have not ended and have a work order in their payload, in the order of acceptance. */
  openOrders(): Promise<readonly OpenOrder[]>;
  /**
   * Submits a job as a caller would, in the name of this worker; with the same key it answers the job that is there.
   * @returns `conflict` when that job differs from the one asked for
   * @throws JobFailure that names what was wrong
   */
  submitJob(envelope: JobEnvelope): Promise<{ job_id: string; status: string; conflict?: string }>;
  /**
   * Records a regular file below the root as an artifact, where it stands, with its size and SHA-256.
   * @param path absolute
   * @returns its path relative to the root
   */
  recordArtifact(name: string, path: string): Promise<string>;
}

export type BuiltinHandler = (job: WorkerJob, context: BuiltinContext) => unknown;

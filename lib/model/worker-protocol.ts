/**
 * What passes between the daemon's main thread and a worker thread: data only, never exceptions. The main thread alone
 * claims, renews, records and completes; the thread works, beats and reports.
 */
import type { Json, JsonObject } from '../base/json.js';
import type { components } from './contract.js';
import type { AgentRunFacts, ArtifactRefs, Artifacts, Failure, JobType, RecordedEventType } from './event.js';

/** The job as its handler sees it. */
export interface WorkerJob {
  readonly job_id: string;
  readonly job_type: JobType;
  readonly request_id: string;
  /** From 1. */
  readonly attempt: number;
  readonly max_attempts: number;
  readonly payload: JsonObject;
}

/** The lease under which an attempt runs. */
export interface WorkerClaim {
  readonly claim_token: string;
  readonly lease_epoch: number;
  /** Value of the environment variable `AGENTOPS_LEASE_MARKER` of every process of this attempt: unique to the lease. */
  readonly marker: string;
}

/** The agent CLI that a built-in worker may ask. */
export interface WorkerAgent {
  /** `claude` or `codex`: also the adapter that speaks with it. */
  readonly name: string;
  /** Program and arguments; no shell. Flags that the adapter needs are added where they are absent. */
  readonly command: readonly string[];
  /** Names of variables that pass beside the default ones. */
  readonly env: readonly string[];
  readonly timeoutMs: number;
  readonly idleMs: number;
}

/** What runs the job: the built-in worker of its type, a command, or a module (paths of modules are absolute here). */
export type WorkerExecutor =
  | {
      readonly kind: 'builtin';
      readonly agent?: WorkerAgent;
      /** Whether commands that stand in a payload, or in a file that it names, may run. */
      readonly allowPayloadCommands: boolean;
    }
  | {
      readonly kind: 'command';
      /** Program and arguments; no shell. */
      readonly command: readonly string[];
      /** Names of variables that pass beside the default ones. */
      readonly env: readonly string[];
      readonly timeoutMs: number;
      readonly idleMs: number;
    }
  | { readonly kind: 'module'; readonly path: string; readonly timeoutMs: number };

export interface WorkerLimits {
  /** Of `output.log`: head and tail are kept, the gap is told. */
  readonly outputBytes: number;
  /** Of all artifacts of an attempt together. */
  readonly artifactBytes: number;
  /** From SIGINT or the abort to SIGTERM. */
  readonly cancelGraceMs: number;
  /** Heap of the process that runs a module. */
  readonly memoryMb: number;
}

/** One attempt, as its thread gets it. */
export interface WorkerTask {
  readonly job: WorkerJob;
  readonly claim: WorkerClaim;
  readonly executor: WorkerExecutor;
  /** Real path of the repository. */
  readonly root: string;
  /** Absolute: `runs/<job>/attempt-<n>`. */
  readonly runDir: string;
  /** Whether `runDir` is there, and the lease's records are; otherwise the thread sees to both when it needs them. */
  readonly prepared: boolean;
  readonly limits: WorkerLimits;
  /** Two Int32, the thread's own: `BEAT_INDEX` is counted up by the thread, `STOP_INDEX` is set by the main thread. */
  readonly shared: SharedArrayBuffer;
}

/** A task on its way: JSON text, as it is cheaper than a copy. */
export interface SentTask {
  /** Tells the tasks of one thread apart, in everything that is said about them. */
  readonly serial: number;
  readonly task: Omit<WorkerTask, 'shared'>;
}

/** A message about one task. */
export interface Said<Message> {
  readonly serial: number;
  readonly message: Message;
}

/** Every process of an attempt has it, with the lease's marker as its value: by this it is found when the attempt is over. */
export const MARKER_VARIABLE = 'AGENTOPS_LEASE_MARKER';

export const BEAT_INDEX = 0;
export const STOP_INDEX = 1;
export const SHARED_BYTES = 8;
/** How often a thread counts up `BEAT_INDEX`. */
export const BEAT_INTERVAL_MS = 250;

export interface Progress {
  readonly done: number;
  readonly total?: number;
  readonly text?: string;
}

export type ToMain =
  /** A process was started, right after its start. `started` as `/proc/<pid>/stat` field 22 tells it, or undefined. */
  | { readonly kind: 'child'; readonly pid: number; readonly started: string | undefined }
  | { readonly kind: 'progress'; readonly progress: Progress }
  /** A run of an agent began, went on or ended; `urgent` when it is to be recorded soon. */
  | { readonly kind: 'agent_run'; readonly run: string; readonly facts: AgentRunFacts; readonly urgent: boolean }
  /** Artifacts so far, path relative to the root by name: they go into the next heartbeat event. */
  | { readonly kind: 'artifacts'; readonly artifacts: Artifacts }
  /** Asks for the consumer snapshot at the ledger's head; answered by `ToWorker` of the same `ask`. */
  | { readonly kind: 'ask_consumer_snapshot'; readonly ask: number }
  /** Asks for an event of the job beyond its life; answered by `event_recorded` or `refused` of the same `ask`. */
  | {
      readonly kind: 'record_event';
      readonly ask: number;
      readonly event_type: RecordedEventType;
      readonly payload: JsonObject;
    }
  /** Asks what an earlier attempt recorded; answered by `recorded_event` or `refused` of the same `ask`. */
  | { readonly kind: 'ask_recorded_event'; readonly ask: number; readonly event_type: RecordedEventType }
  /** Asks which other jobs carry out a work order, or are about to; answered by `open_orders` of the same `ask`. */
  | { readonly kind: 'ask_open_orders'; readonly ask: number }
  /** Asks for the lease's records before the first process is started; answered by `lease_recorded` of the same `ask`. */
  | { readonly kind: 'record_lease'; readonly ask: number }
  /** Submits a job; answered by `job_submitted` or `refused` of the same `ask`. */
  | { readonly kind: 'submit_job'; readonly ask: number; readonly envelope: JobEnvelope };

/** A request for a job, as a worker makes it. */
export interface JobEnvelope {
  readonly job_type: JobType;
  /** Compared byte for byte for the life of the ledger. */
  readonly idempotency_key: string;
  readonly job_id?: string;
  readonly payload: JsonObject;
}

/** A job that has not ended and has a work order in its payload. */
export interface OpenOrder {
  readonly job_id: string;
  readonly job_type: JobType;
  /** Whether it was accepted before the job that asks. */
  readonly earlier: boolean;
  /** Whether it hands the order on as a job of its own. */
  readonly handsOn: boolean;
  /** The path of the order's file; or of an order that stands in the payload what it says of these, whatever that is. */
  readonly work_order: string | { readonly id?: Json; readonly paths?: Json };
}

/** The answers to what a worker asks, each with the `ask` that it is for. */
export type WorkerAnswer = Extract<ToWorker, { readonly ask: number }>;

export type ToWorker =
  | { readonly kind: 'lease_recorded'; readonly ask: number }
  | { readonly kind: 'event_recorded'; readonly ask: number; readonly event_id: string }
  | {
      readonly kind: 'recorded_event';
      readonly ask: number;
      /** Of the event, without the claim; absent when there is none. */
      readonly payload?: JsonObject;
    }
  | { readonly kind: 'open_orders'; readonly ask: number; readonly orders: readonly OpenOrder[] }
  | {
      readonly kind: 'job_submitted';
      readonly ask: number;
      readonly job_id: string;
      readonly status: string;
      /** The key or the job id stands for a job that differs in this. */
      readonly conflict?: string;
    }
  | { readonly kind: 'refused'; readonly ask: number; readonly failure: Failure }
  | { readonly kind: 'stop'; readonly reason: string }
  | {
      readonly kind: 'consumer_snapshot';
      readonly ask: number;
      readonly snapshot: components['schemas']['ConsumerSnapshot'];
    };

/** How an attempt ended, as its thread tells it. */
export type WorkerResult =
  | { readonly kind: 'completed'; readonly artifacts: Artifacts; readonly artifact_refs: ArtifactRefs }
  | { readonly kind: 'failed'; readonly failure: Failure; readonly artifacts: Artifacts };

/**
 * What a thread is started for: to serve, or to show that the worker file can be loaded. Over the `port` come the texts
 * of `SentTask` and `Said<ToWorker>`; the texts of `ThreadAnswer` and `Said<ToMain>` go.
 */
export type ThreadMessage =
  | {
      readonly kind: 'serve';
      readonly port: import('node:worker_threads').MessagePort;
      /** `WorkerTask.shared` of all tasks. */
      readonly shared: SharedArrayBuffer;
    }
  | { readonly kind: 'probe' };

/** Instead of a result: whoever did the work is gone without one, such as the process of a module. */
export interface WorkerLost {
  readonly kind: 'lost';
  readonly why: string;
}

/** What a thread answers to a task, as JSON text. `reusable` is false when the job left timers, handles or the like behind in the thread. */
export interface ThreadAnswer {
  readonly serial: number;
  readonly result: WorkerResult | WorkerLost;
  readonly reusable: boolean;
}

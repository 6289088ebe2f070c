/** A context for built-in workers without a thread: files below a temporary root, everything else recorded. */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import type { JsonObject } from '../../lib/base/json.js';
import { type RecordedChild, sweep } from '../../lib/engine/processes.js';
import type { JobType } from '../../lib/model/event.js';
import { MARKER_VARIABLE, type OpenOrder, type WorkerClaim, type WorkerJob } from '../../lib/model/worker-protocol.js';
import type { Agent } from '../../workers/agents/agent.js';
import type { BuiltinContext, BuiltinHandler, ConsumerSnapshot } from '../../workers/builtin-context.js';
import { toldFailure } from '../../workers/failure.js';
import { createSpawn } from '../../workers/process/spawn.js';
import type { KernelDouble } from './kernel-double.js';

export interface WorkerBench {
  /** Real path of the repository. */
  readonly root: string;
  /** Path relative to the root by name, of the last run. */
  readonly artifacts: Record<string, string>;
  readonly logged: string[];
  readonly progressed: { done: number; total?: number }[];
  readonly stopping: AbortController;
  snapshot: ConsumerSnapshot | undefined;
  /** What the worker gets as its agent, and whether it may run commands of a payload. */
  agent: Agent | undefined;
  allowPayloadCommands: boolean;
  /** Answers what the worker records and submits; without one it is refused. */
  kernel: KernelDouble | undefined;
  /** What the worker hears of other jobs with a work order. */
  openOrders: readonly OpenOrder[];
  /** Whether processes are started, for real; otherwise a start fails. */
  startsProcesses: boolean;
  put(path: string, content: string | Uint8Array): void;
  read(path: string): string;
  run(handler: BuiltinHandler, jobType: JobType, payload: JsonObject): Promise<void>;
  remove(): void;
}

/**
 * @param root real path of a repository that is there; without it an empty one is made, which `remove` takes away
 * @param attempt of each job that is run
 */
export function createBench(root = emptyRepository(), attempt = 1): WorkerBench {
  let runs = 0;
  const bench: WorkerBench = {
    root,
    artifacts: {},
    logged: [],
    progressed: [],
    stopping: new AbortController(),
    snapshot: undefined,
    agent: undefined,
    allowPayloadCommands: false,
    kernel: undefined,
    openOrders: [],
    startsProcesses: false,
    put(path, content) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), content);
    },
    read: (path) => readFileSync(join(root, path), 'utf8'),
    async run(handler, jobType, payload) {
      runs += 1;
      const runDir = join(root, '.agents/runs', `job-${runs}`, `attempt-${attempt}`);
      mkdirSync(runDir, { recursive: true });
      for (const name of Object.keys(bench.artifacts)) delete bench.artifacts[name];
      const job = {
        job_id: `job-${runs}`,
        job_type: jobType,
        request_id: 'req-1',
        attempt,
        max_attempts: 3,
        payload,
      };
      // `this`, not `bench`: a suite may have copied the members into its own context.
      await handler(job, contextOf(this, job, runDir));
    },
    remove: () => rmSync(dirname(root), { recursive: true, force: true }),
  };
  return bench;
}

function emptyRepository(): string {
  const root = join(realpathSync(mkdtempSync(join(tmpdir(), 'agentopsd-'))), 'repository');
  mkdirSync(root);
  return root;
}

function contextOf(bench: WorkerBench, job: WorkerJob, runDir: string): BuiltinContext {
  const { root, artifacts, kernel } = bench;
  const { signal } = bench.stopping;
  const claim = claimOf(job);
  const record = (name: string, path: string): string => {
    artifacts[name] = relative(root, path);
    return relative(root, path);
  };
  return {
    agent: bench.agent,
    allowPayloadCommands: bench.allowPayloadCommands,
    signal,
    attempt: job.attempt,
    claim,
    root,
    runDir,
    log: (text) => void bench.logged.push(text),
    progress: (progress) => void bench.progressed.push(progress),
    async artifact(name, data) {
      const path = join(runDir, 'artifacts', name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, data);
      return record(name, path);
    },
    async recordArtifact(name, path) {
      readFileSync(path);
      return record(name, path);
    },
    spawn: bench.startsProcesses ? spawnOf(bench, job, runDir) : () => Promise.reject(new Error(NO_PROCESS)),
    consumerSnapshot: async () => {
      if (bench.snapshot === undefined) throw new Error('no snapshot was given');
      return bench.snapshot;
    },
    recordEvent: (eventType, payload) =>
      kernel?.recordEvent(job.job_id, eventType, payload) ?? Promise.reject(new Error('no event is recorded here')),
    recordedEvent: async (eventType) => kernel?.recordedEvent(job.job_id, eventType),
    openOrders: async () => bench.openOrders,
    submitJob: (envelope) => kernel?.submitJob(envelope) ?? Promise.reject(new Error('no job is submitted here')),
  };
}

const NO_PROCESS = 'no process is started here';

/** When the attempt is to stop, its processes are ended, as the main thread does it. */
function spawnOf({ root, stopping, logged }: WorkerBench, job: WorkerJob, runDir: string): BuiltinContext['spawn'] {
  const claim = claimOf(job);
  const recorded: RecordedChild[] = [];
  const end = () => void sweep({ marker: claim.marker, recorded });
  stopping.signal.addEventListener('abort', end, { once: true });
  return createSpawn({
    task: { job, claim, root, runDir, limits: TASK_LIMITS },
    output: { write: (bytes) => void logged.push(String(bytes)) },
    signal: stopping.signal,
    post: (message) => {
      if (message.kind === 'child') recorded.push(message);
    },
  });
}

const TASK_LIMITS = { outputBytes: 33_554_432, artifactBytes: 104_857_600, cancelGraceMs: 1000, memoryMb: 512 };

/** A process that is run to be killed has its marker from whoever kills it. */
function claimOf({ job_id, attempt }: WorkerJob): WorkerClaim {
  const marker = process.env[MARKER_VARIABLE] ?? `marker-${process.pid}-${job_id}`;
  return { claim_token: `claim-${attempt}`, lease_epoch: attempt, marker };
}

/** The message with which a job fails that is `request_rejected`, or fails with the code given. */
export async function refusalOf(running: Promise<unknown>, code = 'request_rejected'): Promise<string> {
  const error: unknown = await running.then(
    () => new Error('the job was expected to fail'),
    (thrown: unknown) => thrown,
  );
  const told = toldFailure(error);
  if (told?.code !== code) throw error;
  return told.message;
}

export function sha256(text: string | Uint8Array): string {
  return createHash('sha256').update(text).digest('hex');
}

/**
 * The context of one attempt: signal, log, progress, artifacts, processes. It ends with the attempt: what a handler left
 * running asks of it afterwards is refused.
 *
 * `openContext` makes the public part, in the worker thread or in the process of a module. `openAttempt` is the thread's
 * side: it owns `output.log`, listens to the main thread, and adds what built-in workers get.
 */

import { join } from 'node:path';
import { STOP_INDEX, type ToMain, type WorkerTask } from '../../lib/model/worker-protocol.js';
import type { Agent } from '../agents/agent.js';
import { createCliAgent } from '../agents/cli-agent.js';
import { adapterNamed } from '../agents/registry.js';
import type { BuiltinContext } from '../builtin-context.js';
import type { JobContext } from '../context.js';
import { createOutputLog, type OutputLog } from '../process/output-log.js';
import { createSpawn, type Spawn } from '../process/spawn.js';
import { type ArtifactStore, createArtifactStore } from './artifacts.js';
import { createAskingContext } from './asking-context.js';
import type { TaskLine } from './main-line.js';
import { pacedProgress, plainProgress } from './paced-progress.js';
import { createQuestions, type Questions } from './questions.js';
import { createRunFolder, FolderDenied, type RunFolder } from './run-folder.js';
import { Stopping } from './stopping.js';

export interface ContextGround {
  readonly task: Pick<WorkerTask, 'job' | 'claim' | 'root' | 'runDir' | 'limits'>;
  /** Default: it is there. */
  readonly folder?: RunFolder;
  /** Awaited before each process. */
  readonly beforeProcess?: () => Promise<void>;
  readonly output: Pick<OutputLog, 'write'>;
  /** Its signal aborts when the attempt is to stop; asked for only when somebody wants it. */
  readonly stopping: { readonly signal: AbortSignal };
  readonly post: (message: ToMain) => void;
}

export interface OpenedContext {
  readonly context: JobContext;
  readonly artifacts: ArtifactStore;
  readonly spawn: Spawn;
  /** @throws Error once the attempt is over */
  alive(): void;
  /** Tells the last progress, and refuses everything from then on. Idempotent. */
  end(): void;
}

export interface AttemptInThread {
  readonly context: BuiltinContext;
  readonly artifacts: ArtifactStore;
  readonly output: Pick<OutputLog, 'write'>;
  readonly spawn: Spawn;
  readonly post: (message: ToMain) => void;
  /** Idempotent. */
  end(): void;
}

const OUTPUT_LOG = 'output.log';

export function openContext(ground: ContextGround): OpenedContext {
  const { task, output, stopping, post, beforeProcess } = ground;
  const { job, claim, root, runDir, limits } = task;
  const folder = ground.folder ?? { path: runDir, ensure: () => runDir };
  let ended = false;
  const alive = () => {
    if (ended) throw new Error('the attempt is over: its context can no longer be used');
  };
  const artifacts = createArtifactStore({
    root,
    folder,
    // Both are the main thread's, and the folder stands below the root.
    output: `${runDir.slice(root.length + 1)}/${OUTPUT_LOG}`,
    maxBytes: limits.artifactBytes,
    onChange: (paths) => post({ kind: 'artifacts', artifacts: paths }),
  });
  let starter: Spawn | undefined;
  const spawn: Spawn = (command, args, options) => {
    const { signal } = stopping;
    starter ??= createSpawn({ task, output, signal, post, alive, ...(beforeProcess && { beforeProcess }) });
    return starter(command, args, options);
  };
  const progress = pacedProgress(post);
  const context = withMadeMembers({
    [GROUND]: { stopping, folder },
    attempt: job.attempt,
    claim,
    root,
    log(text) {
      alive();
      const line = String(text);
      output.write(line.endsWith('\n') ? line : `${line}\n`);
    },
    progress(told) {
      alive();
      progress.tell(plainProgress(told));
    },
    async artifact(name, data) {
      alive();
      return artifacts.write(name, data);
    },
    async spawn(command, args, options) {
      alive();
      return spawn(command, args, options);
    },
  });
  const end = () => {
    ended = true;
    progress.end();
  };
  return { context, artifacts, spawn, alive, end };
}

const GROUND = Symbol('ground');
type Grounded = Omit<JobContext, 'signal' | 'runDir'> & {
  readonly [GROUND]: { readonly stopping: { readonly signal: AbortSignal }; readonly folder: RunFolder };
};

/**
 * The members that are made when somebody asks for them, by the same two functions for every context: with functions of
 * its own for each, no two contexts would be of one shape, which costs a short job more than its work.
 */
const madeMembers: PropertyDescriptorMap & ThisType<Grounded> = {
  signal: {
    enumerable: true,
    get() {
      return this[GROUND].stopping.signal;
    },
  },
  runDir: {
    enumerable: true,
    get() {
      return this[GROUND].folder.ensure();
    },
  },
};

function withMadeMembers(context: Grounded): JobContext {
  return Object.defineProperties(context, madeMembers) as Grounded & JobContext;
}

export function openAttempt(task: WorkerTask, line: TaskLine): AttemptInThread {
  const stopping = new Stopping();
  line.hear((message) => {
    if (message.kind === 'stop') stopping.abort(message.reason);
    else questions.answered(message);
  });
  const { post } = line;
  const questions = createQuestions(post, stopping);
  if (Atomics.load(new Int32Array(task.shared), STOP_INDEX) !== 0) stopping.abort('stopped before it began');

  const folder = createRunFolder(task);
  const output = logWhenWritten(folder, task);
  const opened = openContext({
    task,
    folder,
    beforeProcess: preparation(task, folder, questions),
    output,
    stopping,
    post,
  });
  const { context, artifacts, spawn, alive, end } = opened;
  // The same object: copied, its folder would be made whether anybody needs it or not.
  const builtinContext: BuiltinContext = Object.assign(context, {
    agent: agentOf(task, { spawn, artifacts, log: context.log, post }, stopping),
    allowPayloadCommands: task.executor.kind === 'builtin' && task.executor.allowPayloadCommands,
    async recordArtifact(name: string, path: string) {
      alive();
      return artifacts.record(name, path);
    },
    ...createAskingContext(questions, alive),
  });
  return {
    context: builtinContext,
    artifacts,
    output,
    spawn,
    post,
    end() {
      end();
      line.end();
      output.close();
    },
  };
}

function agentOf(
  { executor, claim, root, runDir, limits }: WorkerTask,
  { spawn, artifacts, log, post }: Pick<AttemptInThread, 'spawn' | 'artifacts' | 'post'> & Pick<JobContext, 'log'>,
  stopping: { readonly signal: AbortSignal },
): Agent | undefined {
  const worker = executor.kind === 'builtin' ? executor.agent : undefined;
  const adapter = worker === undefined ? undefined : adapterNamed(worker.name);
  if (worker === undefined || adapter === undefined) return undefined;
  return createCliAgent({
    worker,
    adapter,
    ground: {
      spawn,
      root,
      runDir,
      signal: stopping.signal,
      marker: claim.marker,
      variables: process.env,
      outputBytes: limits.outputBytes,
      log,
      nameArtifact: artifacts.name,
      recordArtifact: artifacts.record,
      tell: (run, facts, urgent) => post({ kind: 'agent_run', run, facts, urgent }),
    },
  });
}

/** The log is made with its first byte, or with the folder: a job that leaves nothing has neither. */
function logWhenWritten(folder: RunFolder, { prepared, limits }: WorkerTask): Pick<OutputLog, 'write' | 'close'> {
  const open = (): OutputLog => {
    const path = join(folder.ensure(), OUTPUT_LOG);
    try {
      return createOutputLog(path, limits.outputBytes);
    } catch (error) {
      throw new FolderDenied(error instanceof Error ? error.message : String(error));
    }
  };
  let log = prepared ? open() : undefined;
  return {
    write: (bytes) => {
      if (bytes.length === 0) return;
      log ??= open();
      log.write(bytes);
    },
    close: () => log?.close(),
  };
}

/** Before the first process: its folder, and the records by which it is found if this daemon dies. */
function preparation(task: WorkerTask, folder: RunFolder, questions: Questions): () => Promise<void> {
  let recorded: Promise<unknown> | undefined = task.prepared ? Promise.resolve() : undefined;
  return async () => {
    folder.ensure();
    recorded ??= questions.ask('lease_recorded', (ask) => ({ kind: 'record_lease', ask }));
    await recorded;
  };
}

/**
 * The `command` executor: one process does the whole job. It gets the payload as JSON on its standard input, and leaves
 * what it has made in `$AGENTOPS_RUN_DIR/artifacts/`. Exit code 0 completes the job; everything else fails it, with a
 * message that says what happened.
 */
import { lstat, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { limits } from '../../lib/base/limits.js';
import type { WorkerExecutor, WorkerJob } from '../../lib/model/worker-protocol.js';
import type { BuiltinContext } from '../builtin-context.js';
import type { SpawnResult } from '../context.js';
import { failure } from '../failure.js';

type CommandExecutor = Extract<WorkerExecutor, { kind: 'command' }>;

const ARTIFACTS = 'artifacts';
/** Names of artifacts that every run has for itself. */
const ownNames: ReadonlySet<string> = new Set(['output']);

/** @throws JobFailure `provider_unreachable` when it can't start, `request_rejected` when it does not end well */
export async function runCommand(job: WorkerJob, context: BuiltinContext, executor: CommandExecutor): Promise<void> {
  const [program = '', ...args] = executor.command;
  await mkdir(join(context.runDir, ARTIFACTS), { recursive: true });
  const result = await context.spawn(program, args, {
    input: JSON.stringify(job.payload),
    passEnv: executor.env,
    timeoutMs: executor.timeoutMs,
    idleMs: executor.idleMs,
  });
  const why = whyFailed(program, result, executor);
  if (why === undefined) return takeArtifacts(context);
  // What a failed run leaves may say why it failed; that it can't be taken is not why.
  await takeArtifacts(context).catch((error: unknown) => context.log(`artifacts: ${String(error)}`));
  throw failure('request_rejected', why);
}

function whyFailed(
  program: string,
  { exitCode, signal, stopped }: SpawnResult,
  executor: CommandExecutor,
): string | undefined {
  const seconds = (ms: number): string => `${ms / 1000} s`;
  if (stopped === 'timeout')
    return `${program} ran longer than its timeout_seconds and was ended after ${seconds(executor.timeoutMs)}`;
  if (stopped === 'idle')
    return `${program} printed nothing for its idle_seconds and was ended after ${seconds(executor.idleMs)} of silence`;
  if (stopped === 'aborted') return `${program} was stopped with its job`;
  if (signal !== undefined) return `${program} was ended by the signal ${signal}`;
  return exitCode === 0 ? undefined : `${program} ended with exit code ${exitCode}`;
}

/** Regular files alone, nothing through a link. What is left out is told in the output. */
async function takeArtifacts(context: BuiltinContext): Promise<void> {
  for await (const name of filesBelow(context, join(context.runDir, ARTIFACTS), '', 1)) {
    await context.recordArtifact(
      ownNames.has(name) ? `${ARTIFACTS}/${name}` : name,
      join(context.runDir, ARTIFACTS, name),
    );
  }
}

/** Relative paths, sorted within each folder, with `/` between the parts. */
async function* filesBelow(
  context: BuiltinContext,
  folder: string,
  prefix: string,
  depth: number,
): AsyncGenerator<string> {
  const facts = await lstat(folder).catch(() => undefined);
  if (facts === undefined) return;
  if (!facts.isDirectory() || depth > limits.artifactFolderDepth) {
    context.log(`[agentopsd: ${prefix === '' ? ARTIFACTS : prefix} is left out: no folder, or nested too deep]`);
    return;
  }
  const entries = await readdir(folder, { withFileTypes: true });
  for (const entry of entries.sort((one, other) => (one.name < other.name ? -1 : 1))) {
    const name = `${prefix}${entry.name}`;
    if (entry.isDirectory()) yield* filesBelow(context, join(folder, entry.name), `${name}/`, depth + 1);
    else if (entry.isFile()) yield name;
    else context.log(`[agentopsd: ${JSON.stringify(name)} is left out: it is no regular file]`);
  }
}

/**
 * Starts the processes of an attempt, each in a group of its own, without a shell, with a filtered environment, and told
 * to the main thread at once with pid and start time.
 *
 * What ends a process: itself; its limits (`running-child.ts`); or a stop of the attempt, for which the main thread climbs
 * the ladder over all processes that carry the marker. What a process leaves behind is swept by the main thread when the
 * attempt is over.
 */
import { type ChildProcessWithoutNullStreams, spawn as startProcess } from 'node:child_process';
import { resolve } from 'node:path';
import type { SpawnResult } from '../context.js';
import { failure } from '../failure.js';
import { childEnvironment, DEFAULT_PATH } from './environment.js';
import { resolveProgram } from './program.js';
import { RunningChild } from './running-child.js';
import type { OwnSpawnOptions, SpawnSeams } from './spawn-options.js';

export type Spawn = (command: string, args?: readonly string[], options?: OwnSpawnOptions) => Promise<SpawnResult>;

export function createSpawn(seams: SpawnSeams): Spawn {
  return async (command, args = [], options = {}) => {
    seams.signal.throwIfAborted();
    const folder = resolve(seams.task.root, options.cwd ?? '.');
    const env = childEnvironment(seams.task, {
      source: seams.source ?? process.env,
      passEnv: options.passEnv,
      env: options.env,
    });
    const program = await resolveProgram(command, env['PATH'] ?? DEFAULT_PATH, folder);
    await seams.beforeProcess?.();
    seams.signal.throwIfAborted();
    seams.alive?.();
    const stdio: 'pipe'[] = ['pipe', 'pipe', 'pipe', ...(options.channel === undefined ? [] : ['ipc' as 'pipe'])];
    const child = await start(
      command,
      () =>
        startProcess(program, args, {
          cwd: folder,
          env,
          argv0: command,
          detached: true,
          stdio,
        }) as ChildProcessWithoutNullStreams,
    );
    options.channel?.(child);
    return new RunningChild(seams, child, options).result();
  };
}

/** @throws JobFailure `provider_unreachable` */
async function start(
  command: string,
  starting: () => ChildProcessWithoutNullStreams,
): Promise<ChildProcessWithoutNullStreams> {
  const refused = (error: Error) => failure('provider_unreachable', `${command} can't be started: ${error.message}`);
  let child: ChildProcessWithoutNullStreams;
  try {
    child = starting();
  } catch (error) {
    throw refused(error as Error);
  }
  if (child.pid !== undefined) return child;
  return new Promise((_, reject) => child.once('error', (error) => reject(refused(error))));
}

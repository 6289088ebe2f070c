/**
 * Runs the validation commands of a payload, one after the other, each to its end: their exit codes are the verdict,
 * and all of them are told.
 */
import type { JsonObject } from '../../lib/base/json.js';
import type { BuiltinContext } from '../builtin-context.js';
import { told } from '../kit/payload.js';
import { tailKeeper } from '../process/tail-keeper.js';
import { rpiLimits } from './limits.js';

export interface CommandEnd extends JsonObject {
  command: string;
  duration_ms: number;
  /** The end of what it printed. */
  output: string;
}

export interface Validated {
  readonly ends: readonly CommandEnd[];
  /** Undefined when all of them ended with 0. */
  readonly why: string | undefined;
}

/** @param cwd absolute */
export async function validate(context: BuiltinContext, commands: readonly string[], cwd: string): Promise<Validated> {
  const ends: CommandEnd[] = [];
  const bad: string[] = [];
  for (const command of commands) {
    context.signal.throwIfAborted();
    context.log(`[agentopsd: validation: ${command}]`);
    const startedMs = performance.now();
    const tail = tailKeeper(rpiLimits.outputCharacters);
    const { validationMs: timeoutMs } = rpiLimits;
    const end = await context.spawn('sh', ['-c', command], {
      cwd,
      timeoutMs,
      idleMs: timeoutMs,
      onOutput: tail.take,
      onErrorOutput: (bytes) => void tail.take(bytes),
    });
    context.signal.throwIfAborted();
    const { exitCode, signal, stopped } = end;
    ends.push({
      command,
      ...(exitCode === undefined ? {} : { exit_code: exitCode }),
      ...(signal === undefined ? {} : { signal }),
      ...(stopped === undefined ? {} : { stopped }),
      duration_ms: Math.round(performance.now() - startedMs),
      output: tail.text(),
    });
    const how = stopped !== undefined ? `took longer than ${timeoutMs / 1000} s` : `ended with ${exitCode ?? signal}`;
    if (exitCode !== 0 || stopped !== undefined) bad.push(`${told(command)} ${how}`);
  }
  return { ends, why: bad.length === 0 ? undefined : `validation failed: ${bad.join('; ')}` };
}

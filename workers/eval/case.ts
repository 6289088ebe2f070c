/** Runs one case once in its copy: its command, or the agent with its prompt; then holds what came of it against its expectations. */
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { AgentRun } from '../agents/agent.js';
import type { BuiltinContext } from '../builtin-context.js';
import type { SpawnResult } from '../context.js';
import { type JobFailureData, toldFailure } from '../failure.js';
import { told } from '../kit/payload.js';
import { endLeftovers, FOLDER_VARIABLE } from '../process/leftover-processes.js';
import { checkAll, type Evidence, temporaryFolderOf, withoutPlace } from './checks.js';
import type { AgentFacts, Attempt, CaseRun, EvalCase, RunEnd } from './model.js';

/** Where one run takes place. */
export interface CasePlace {
  /** Absolute, real path of the copy; a folder of its own is around it. */
  readonly copy: string;
  /** Names the run among the job's artifacts, such as `case-1/try-1`. */
  readonly name: string;
  /** Absolute folder for what an agent leaves of its run. */
  readonly kept: string;
  /** The skill that the run has. */
  readonly skill?: {
    /** Its folder in the copy, absolute. */
    readonly folder: string;
    /** What an agent is told of it. */
    readonly told: string;
  };
}

type Ended = Pick<Attempt, 'end' | 'exit_code' | 'signal' | 'why'> & Pick<Evidence, 'stdout' | 'stderr'>;

/** @throws what stops the whole job: the attempt is to end, or the agent can't be reached at all */
export async function runCase(each: EvalCase, place: CasePlace, context: BuiltinContext): Promise<CaseRun> {
  const begunMs = performance.now();
  const asked = each.prompt === undefined ? undefined : await askAgent(each.prompt, each, place, context);
  const ended = asked === undefined ? await runCommand(each, place, context) : endOfAgent(asked);
  const duration_ms = Math.round(performance.now() - begunMs);
  const left = await endLeftovers(context.claim.marker, place.copy);
  if (left > 0) context.log(`${told(each.id)}: ended ${left} processes that it left running`);
  context.signal.throwIfAborted();
  const { stdout, stderr, ...facts } = ended;
  const expectations = await checkAll(each.expect, { exitCode: ended.exit_code, stdout, stderr, copy: place.copy });
  const passed = ended.end === 'exited' && expectations.every(({ holds }) => holds);
  const attempt: Attempt = { verdict: passed ? 'pass' : 'fail', ...facts, expectations };
  return { attempt, ...(asked === undefined ? {} : { agent: factsOf(asked, context.agent?.name ?? '') }), duration_ms };
}

async function runCommand(each: EvalCase, place: CasePlace, context: BuiltinContext): Promise<Ended> {
  const [program = '', ...args] = each.command ?? [];
  const ending = new AbortController();
  const streams = { stdout: new Capture(each.output_bytes, ending), stderr: new Capture(each.output_bytes, ending) };
  const temporary = temporaryFolderOf(place.copy);
  await mkdir(temporary, { recursive: true });
  try {
    const result = await context.spawn(program, args, {
      cwd: place.copy,
      env: { ...each.env, ...placeVariables(each, place), TMPDIR: temporary },
      input: each.stdin ?? '',
      timeoutMs: each.timeout_seconds * 1000,
      idleMs: each.idle_seconds * 1000,
      ending: ending.signal,
      onOutput: (bytes) => streams.stdout.take(bytes),
      onErrorOutput: (bytes) => void streams.stderr.take(bytes),
    });
    return {
      ...endOfCommand(result, ending.signal.aborted),
      stdout: streams.stdout.text(),
      stderr: streams.stderr.text(),
    };
  } catch (error) {
    context.signal.throwIfAborted();
    const refused: JobFailureData | undefined = toldFailure(error);
    if (refused?.code !== 'provider_unreachable') throw error;
    return { end: 'not_started', why: withoutPlace(refused.message, place.copy), stdout: '', stderr: '' };
  }
}

/** A copy lies below the repository: git is not to take it for a part of it. */
function placeVariables(each: EvalCase, { copy, skill }: CasePlace): Record<string, string> {
  return {
    GIT_CEILING_DIRECTORIES: dirname(copy),
    [FOLDER_VARIABLE]: copy,
    AGENTOPS_EVAL_CASE: each.id,
    ...(skill === undefined ? {} : { AGENTOPS_EVAL_SKILL: skill.folder }),
  };
}

function endOfCommand({ exitCode, signal, stopped }: SpawnResult, tooMuch: boolean): Omit<Ended, 'stdout' | 'stderr'> {
  const end: RunEnd = tooMuch
    ? 'output_limit'
    : stopped === 'timeout' || stopped === 'idle'
      ? stopped
      : signal === undefined
        ? 'exited'
        : 'signalled';
  // How a process ends that was told to is its own affair, and may differ from run to run.
  if (end !== 'exited' && end !== 'signalled') return { end };
  return {
    end,
    ...(exitCode === undefined ? {} : { exit_code: exitCode }),
    ...(signal === undefined ? {} : { signal }),
  };
}

async function askAgent(prompt: string, each: EvalCase, place: CasePlace, context: BuiltinContext): Promise<AgentRun> {
  if (context.agent === undefined) throw new Error('invariant broken: a case with a prompt runs only with an agent');
  const run = await context.agent.run({
    prompt: place.skill === undefined ? prompt : `${prompt}\n\n${place.skill.told}`,
    cwd: place.copy,
    access: 'write',
    folder: place.kept,
    artifactPrefix: `${place.name}/`,
    timeoutMs: each.timeout_seconds * 1000,
  });
  // Then nothing is found out about the case: the job has to say so, not the case.
  if (run.failure?.code === 'provider_unreachable') throw Object.assign(new Error(run.why), { failure: run.failure });
  return run;
}

function factsOf({ cost_usd, usage }: AgentRun, name: string): AgentFacts {
  return {
    name,
    ...(cost_usd === undefined ? {} : { cost_usd }),
    ...(usage === undefined ? {} : { tokens: usage.input_tokens + usage.output_tokens }),
  };
}

function endOfAgent({ verdict, why, answer }: AgentRun): Ended {
  const good = verdict === 'succeeded';
  return { end: 'exited', exit_code: good ? 0 : 1, ...(good ? {} : { why }), stdout: answer, stderr: '' };
}

/** Keeps what is printed up to a limit; what is more ends the process. */
class Capture {
  readonly #maxBytes: number;
  readonly #ending: AbortController;
  readonly #blocks: Buffer[] = [];
  #bytes = 0;

  constructor(maxBytes: number, ending: AbortController) {
    this.#maxBytes = maxBytes;
    this.#ending = ending;
  }

  /** @returns whether it counts as a sign of life */
  take(bytes: Buffer): boolean {
    const room = this.#maxBytes - this.#bytes;
    if (bytes.length > room) this.#ending.abort();
    const kept = bytes.subarray(0, Math.max(0, room));
    this.#bytes += kept.length;
    if (kept.length > 0) this.#blocks.push(kept);
    return bytes.length <= room;
  }

  text(): string {
    return Buffer.concat(this.#blocks).toString('utf8');
  }
}

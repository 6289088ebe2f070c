/**
 * One run of an agent CLI: its process, what it says, and what becomes of both. Lines that are no JSON objects, and lines
 * too long to be looked at, stay in the transcript and are counted.
 */
import { isJsonObject, type JsonObject } from '../../lib/base/json.js';
import type { AgentRunFacts } from '../../lib/model/event.js';
import type { SpawnResult } from '../context.js';
import type { Variables } from '../environment.js';
import { failureOf } from '../failure.js';
import { createLineReader } from '../lines.js';
import type { Heard, Told, TranscriptReader } from './adapter.js';
import type { AgentDenial, AgentRequest, AgentRun, AgentUsage } from './agent.js';
import { agentLimits } from './agent-limits.js';
import type { CliAgentSettings } from './cli-agent.js';
import { brief } from './members.js';
import { RunFiles } from './run-files.js';
import type { UsageOfThreads } from './thread-usage.js';
import { type Ended, judge, type Verdict } from './verdict.js';

export interface RunGround {
  readonly threads: UsageOfThreads;
  /** Within the attempt. */
  readonly name: string;
  /** As `--version` told it. */
  readonly cliVersion: string | undefined;
}

const TOOL_CHARACTERS = 200;
/** Names of refused tools that the ledger gets. */
const TOLD_DENIALS = 20;

const unfinished: Verdict = Object.freeze({
  verdict: 'failed',
  why: 'the run is not over, or was cut short: nothing tells how it ended',
});

export class CliRun {
  readonly #settings: CliAgentSettings;
  readonly #request: AgentRequest;
  readonly #ground: RunGround;
  readonly #reader: TranscriptReader;
  readonly #files: RunFiles;
  readonly #ending = new AbortController();
  readonly #startedAt = new Date();
  readonly #startedMs = performance.now();
  readonly #timeoutMs: number;
  readonly #unreachableMs: number;
  readonly #lingerMs: number;
  readonly #onAbort = () => this.#stopped();
  #command: readonly string[] = [];
  #timer: NodeJS.Timeout | undefined;
  #waitsFor: Ended | undefined;
  #ended: Ended | undefined;
  /** It said last that it does not reach its model. */
  #complained = false;
  #events = 0;
  #unreadableLines = 0;
  #lastWords = '';
  #end: SpawnResult | undefined;
  #verdict: Verdict = unfinished;
  #toldText = '';
  #toldFacts: AgentRunFacts | undefined;

  /** @throws the system's error when its files can't be made */
  constructor(settings: CliAgentSettings, request: AgentRequest, folder: string, ground: RunGround) {
    const { worker, adapter, unreachableMs, lingerMs } = settings;
    this.#settings = settings;
    this.#request = request;
    this.#ground = ground;
    this.#reader = adapter.read(variablesOf(worker.env, settings.ground.variables));
    this.#timeoutMs = Math.min(request.timeoutMs ?? worker.timeoutMs, worker.timeoutMs);
    this.#unreachableMs = Math.min(unreachableMs ?? agentLimits.unreachableMs, worker.idleMs);
    this.#lingerMs = lingerMs ?? agentLimits.lingerMs;
    const { prompt } = request;
    this.#files = new RunFiles({
      folder,
      prompt,
      maxBytes: settings.ground.outputBytes,
      result: () => {
        this.#reader.look?.();
        return this.#told();
      },
    });
  }

  /** @throws the signal's reason when the attempt is to stop */
  async result(command: readonly string[]): Promise<AgentRun> {
    const { signal } = this.#settings.ground;
    this.#command = command;
    this.#files.write();
    signal.addEventListener('abort', this.#onAbort, { once: true });
    try {
      this.#verdict = await this.#process(command);
    } finally {
      signal.removeEventListener('abort', this.#onAbort);
      this.#waitFor(undefined);
      this.#files.write();
      this.#tell();
    }
    signal.throwIfAborted();
    return this.#run();
  }

  /** The next run of the thread starts from what this one had used. */
  close(): void {
    this.#files.close();
    const { session_id, usage, usageIsOfThread } = this.#reader.told();
    if (usageIsOfThread === true && session_id !== undefined && usage !== undefined)
      this.#ground.threads.record(session_id, usage);
  }

  async #process([program = '', ...args]: readonly string[]): Promise<Verdict> {
    const { worker, ground } = this.#settings;
    const lines = this.#lineReader((line) => this.#line(line));
    const errorLines = this.#lineReader((line) => this.#errorLine(line));
    try {
      this.#end = await ground.spawn(program, args, {
        ...(this.#request.cwd === undefined ? {} : { cwd: this.#request.cwd }),
        passEnv: worker.env,
        input: this.#request.prompt,
        timeoutMs: this.#timeoutMs,
        idleMs: worker.idleMs,
        ending: this.#ending.signal,
        log: false,
        onOutput: (bytes) => {
          this.#files.transcript.write(bytes);
          lines.take(bytes);
          // Complaining that the model can't be reached is no sign of life.
          return this.#waitsFor !== 'unreachable';
        },
        onErrorOutput: (bytes) => {
          this.#files.errors.write(bytes);
          errorLines.take(bytes);
        },
      });
    } catch (error) {
      ground.signal.throwIfAborted();
      const failure = failureOf(error);
      return { verdict: 'failed', why: failure.message ?? failure.code, failure };
    }
    lines.end();
    errorLines.end();
    // Complaints count as silence: which of the two limits came first makes no difference.
    if (this.#end.stopped === 'idle' && this.#complained) this.#ended = 'unreachable';
    return judge({
      name: worker.name,
      end: this.#end,
      told: this.#reader.told(),
      ended: this.#ended,
      events: this.#events,
      lastWords: this.#lastWords,
      timeoutMs: this.#timeoutMs,
      idleMs: worker.idleMs,
      unreachableMs: this.#unreachableMs,
      lingerMs: this.#lingerMs,
    });
  }

  #lineReader(onLine: (line: string) => void) {
    return createLineReader(agentLimits.lineBytes, onLine, () => {
      this.#unreadableLines += 1;
    });
  }

  #line(line: string): void {
    if (line.trim() === '') return;
    const event = parsed(line);
    if (event === undefined) {
      this.#unreadableLines += 1;
      return;
    }
    this.#events += 1;
    const heard = this.#reader.take(event);
    if (heard.text !== undefined) {
      this.#settings.ground.log(heard.text);
      this.#request.onText?.(heard.text);
    }
    this.#judgeLife(heard);
    this.#files.changed();
    this.#tell();
  }

  /** Only what comes of its model shows that it reaches it: other lines come between two complaints, and behind them. */
  #judgeLife({ unreachable, text }: Heard): void {
    if (unreachable === true) this.#waitFor('unreachable');
    else if (this.#reader.told().end !== undefined) this.#waitFor('lingering');
    else if (text !== undefined || this.#waitsFor === 'lingering') this.#waitFor(undefined);
    this.#complained = unreachable === true || (this.#complained && text === undefined);
  }

  #errorLine(line: string): void {
    if (line.trim() !== '') this.#lastWords = `${this.#lastWords} ${line}`.slice(-2 * agentLimits.troubleCharacters);
    this.#reader.takeError?.(line);
  }

  /** After `unreachableMs` of nothing else, or `lingerMs` behind its final event, the process is ended. */
  #waitFor(what: Ended | undefined): void {
    if (what === 'unreachable' && this.#waitsFor === what) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#waitsFor = what;
    if (what === undefined) return;
    const end = () => {
      this.#ended = what;
      this.#ending.abort();
    };
    this.#timer = setTimeout(end, what === 'unreachable' ? this.#unreachableMs : this.#lingerMs);
  }

  /** The thread may be ended any moment now: what is known is kept at once. */
  #stopped(): void {
    this.#verdict = { verdict: 'failed', why: `${this.#settings.worker.name} was stopped with its job` };
    this.#files.write();
    this.#tell();
  }

  /** Only what is new. */
  #tell(): void {
    const facts = factsOf(this.#settings.worker.name, this.#run(), this.#verdict !== unfinished);
    const text = JSON.stringify(facts);
    if (text === this.#toldText) return;
    const urgent = this.#toldFacts?.session_id !== facts.session_id || facts.verdict !== undefined;
    this.#toldText = text;
    this.#toldFacts = facts;
    this.#settings.ground.tell(this.#ground.name, facts, urgent);
  }

  #usage({ session_id, usage, usageBefore, usageIsOfThread }: Told): AgentUsage | undefined {
    if (usage === undefined || usageIsOfThread !== true) return usage;
    return this.#ground.threads.since(session_id, usage, usageBefore);
  }

  #run(): AgentRun {
    const told = this.#reader.told();
    const { verdict, why, failure } = this.#verdict;
    const usage = this.#usage(told);
    const cliVersion = told.cli_version ?? this.#ground.cliVersion;
    return {
      verdict,
      why,
      ...(failure === undefined ? {} : { failure }),
      answer: told.answer.slice(0, agentLimits.answerCharacters).toWellFormed(),
      ...(told.session_id === undefined ? {} : { session_id: told.session_id }),
      ...(cliVersion === undefined ? {} : { cli_version: cliVersion }),
      ...(told.model === undefined ? {} : { model: told.model }),
      ...(usage === undefined ? {} : { usage }),
      ...(told.cost_usd === undefined ? {} : { cost_usd: told.cost_usd }),
      denials: told.denials.slice(0, agentLimits.denials).map(boundedDenial),
      ...(told.turns === undefined ? {} : { turns: told.turns }),
    };
  }

  /** What `result.json` holds. */
  #told(): JsonObject {
    const { answer, ...run } = this.#run();
    const { worker } = this.#settings;
    const end = this.#end;
    const omitted = this.#files.transcript.omittedBytes();
    return {
      schema_version: 1,
      agent: worker.name,
      command: [...this.#command],
      ...(run as unknown as JsonObject),
      answer,
      finished: this.#verdict !== unfinished,
      started_at: this.#startedAt.toISOString(),
      duration_ms: Math.round(performance.now() - this.#startedMs),
      ...(end?.exitCode === undefined ? {} : { exit_code: end.exitCode }),
      ...(end?.signal === undefined ? {} : { signal: end.signal }),
      ...(end?.stopped === undefined ? {} : { stopped: this.#ended ?? end.stopped }),
      transcript: {
        events: this.#events,
        ...(this.#unreadableLines === 0 ? {} : { unreadable_lines: this.#unreadableLines }),
        ...(omitted === 0 ? {} : { left_out_bytes: omitted }),
      },
    };
  }
}

/** @param isOver whether its verdict counts */
function factsOf(agent: string, run: AgentRun, isOver: boolean): AgentRunFacts {
  const { cli_version, model, session_id, verdict, why, usage, cost_usd, turns, denials } = run;
  const tools = [...new Set(denials.map(({ tool }) => tool))].slice(0, TOLD_DENIALS);
  return {
    agent,
    ...(cli_version === undefined ? {} : { cli_version }),
    ...(model === undefined ? {} : { model }),
    ...(session_id === undefined ? {} : { session_id }),
    ...(isOver ? { verdict, why } : {}),
    ...(usage === undefined ? {} : { usage: { ...usage } }),
    ...(cost_usd === undefined ? {} : { cost_usd }),
    ...(turns === undefined ? {} : { turns }),
    ...(tools.length === 0 ? {} : { denials: tools }),
  };
}

/** Those of the daemon's variables that tell where a CLI keeps its own files. */
function variablesOf(names: readonly string[], variables: Variables): Variables {
  return Object.fromEntries(['HOME', ...names].map((name) => [name, variables[name]]));
}

function parsed(line: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function boundedDenial(denial: AgentDenial): AgentDenial {
  const isLong = JSON.stringify(denial.input ?? {}).length > agentLimits.denialInputCharacters;
  const tool = brief(denial.tool, TOOL_CHARACTERS);
  return isLong || denial.input === undefined ? { tool } : { tool, input: denial.input };
}

/**
 * One run of an agent CLI: its process, what it says, and what becomes of both. Lines that are no JSON objects, and lines
 * too long to be looked at, stay in the transcript and are counted.
 */
import { randomUUID } from 'node:crypto';
import { isJsonObject, type JsonObject } from '../../lib/base/json.js';
import type { SpawnResult } from '../context.js';
import { failureOf } from '../failure.js';
import type { Variables } from '../process/environment.js';
import { endStartedWith } from '../process/leftover-processes.js';
import { createLineReader } from '../process/lines.js';
import type { TranscriptReader } from './adapter.js';
import type { AgentRequest, AgentRun } from './agent.js';
import { agentLimits } from './agent-limits.js';
import type { CliAgentSettings } from './cli-agent.js';
import { LifeWatch } from './life-watch.js';
import { RunFiles } from './run-files.js';
import { factsOf, resultOf, runOf } from './run-told.js';
import type { UsageOfThreads } from './thread-usage.js';
import { judge, type Verdict } from './verdict.js';

export interface RunGround {
  readonly threads: UsageOfThreads;
  /** Within the attempt. */
  readonly name: string;
  /** As `--version` told it. */
  readonly cliVersion: string | undefined;
}

/** Tells the processes of one run from those of another of the same attempt. */
const RUN_VARIABLE = 'AGENTOPS_AGENT_RUN';

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
  readonly #watch: LifeWatch;
  readonly #id = randomUUID();
  readonly #startedAt = new Date();
  readonly #startedMs = performance.now();
  readonly #limits: { timeoutMs: number; idleMs: number; unreachableMs: number; lingerMs: number };
  readonly #onAbort = () => this.#stopped();
  #command: readonly string[] = [];
  #events = 0;
  #unreadableLines = 0;
  #lastWords = '';
  #end: SpawnResult | undefined;
  #verdict: Verdict = unfinished;
  #told = '';
  #toldSession: string | undefined;

  /** @throws the system's error when its files can't be made */
  constructor(settings: CliAgentSettings, request: AgentRequest, folder: string, ground: RunGround) {
    const { worker, adapter } = settings;
    const { unreachableMs = agentLimits.unreachableMs, lingerMs = agentLimits.lingerMs } = settings;
    this.#settings = settings;
    this.#request = request;
    this.#ground = ground;
    this.#reader = adapter.read(variablesOf(worker.env, settings.ground.variables));
    this.#limits = {
      timeoutMs: Math.min(request.timeoutMs ?? worker.timeoutMs, worker.timeoutMs),
      idleMs: worker.idleMs,
      unreachableMs: Math.min(unreachableMs, worker.idleMs),
      lingerMs,
    };
    this.#watch = new LifeWatch(this.#limits);
    const { prompt } = request;
    const { outputBytes: maxBytes } = settings.ground;
    this.#files = new RunFiles({ folder, prompt, maxBytes, result: () => this.#result() });
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
      this.#watch.stop();
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

  async #process(command: readonly string[]): Promise<Verdict> {
    const { worker, ground } = this.#settings;
    try {
      this.#end = await this.#spawn(command);
    } catch (error) {
      ground.signal.throwIfAborted();
      const failure = failureOf(error);
      return { verdict: 'failed', why: failure.message ?? failure.code, failure };
    }
    // What it left behind would go on changing files while the next step looks at them.
    if (!ground.signal.aborted) await endStartedWith(ground.marker, `${RUN_VARIABLE}=${this.#id}`);
    return judge({
      name: worker.name,
      end: this.#end,
      told: this.#reader.told(),
      ended: this.#watch.whyEnded(this.#end.stopped),
      events: this.#events,
      lastWords: this.#lastWords,
      ...this.#limits,
    });
  }

  async #spawn([program = '', ...args]: readonly string[]): Promise<SpawnResult> {
    const { worker, ground } = this.#settings;
    const lines = this.#lineReader((line) => this.#line(line));
    const errorLines = this.#lineReader((line) => this.#errorLine(line));
    const end = await ground.spawn(program, args, {
      ...(this.#request.cwd === undefined ? {} : { cwd: this.#request.cwd }),
      passEnv: worker.env,
      env: { [RUN_VARIABLE]: this.#id },
      input: this.#request.prompt,
      timeoutMs: this.#limits.timeoutMs,
      idleMs: this.#limits.idleMs,
      ending: this.#watch.ending,
      log: false,
      onOutput: (bytes) => {
        this.#files.transcript.write(bytes);
        lines.take(bytes);
        return this.#watch.isSignOfLife;
      },
      onErrorOutput: (bytes) => {
        this.#files.errors.write(bytes);
        errorLines.take(bytes);
      },
    });
    lines.end();
    errorLines.end();
    return end;
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
    this.#watch.heard(heard, this.#reader.told().end !== undefined);
    this.#files.changed();
    this.#tell();
  }

  #errorLine(line: string): void {
    if (line.trim() !== '') this.#lastWords = `${this.#lastWords} ${line}`.slice(-2 * agentLimits.troubleCharacters);
    this.#reader.takeError?.(line);
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
    if (text === this.#told) return;
    const urgent = this.#toldSession !== facts.session_id || facts.verdict !== undefined;
    this.#told = text;
    this.#toldSession = facts.session_id;
    this.#settings.ground.tell(this.#ground.name, facts, urgent);
  }

  #run(): AgentRun {
    const told = this.#reader.told();
    const { session_id, usage, usageBefore, usageIsOfThread } = told;
    const isOfThread = usage !== undefined && usageIsOfThread === true;
    const own = isOfThread ? this.#ground.threads.since(session_id, usage, usageBefore) : usage;
    return runOf(told, this.#verdict, own, this.#ground.cliVersion);
  }

  #result(): JsonObject {
    this.#reader.look?.();
    return resultOf(this.#run(), {
      agent: this.#settings.worker.name,
      command: this.#command,
      finished: this.#verdict !== unfinished,
      startedAt: this.#startedAt,
      durationMs: performance.now() - this.#startedMs,
      end: this.#end,
      ended: this.#watch.whyEnded(this.#end?.stopped),
      events: this.#events,
      unreadableLines: this.#unreadableLines,
      omittedBytes: this.#files.transcript.omittedBytes(),
    });
  }
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

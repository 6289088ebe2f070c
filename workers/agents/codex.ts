/**
 * Codex. `codex exec --json -` prints `thread.started`, `turn.started`, items as they begin and end, and at the end
 * `turn.completed` with the usage of the whole thread so far, or `turn.failed`.
 *
 * An item of type `error` is no failure. An event of type `error` tells of trouble: while the model can't be reached it
 * comes again and again, and the process never ends. A tool that the sandbox or the approval policy refused outright
 * stands in no event at all: the only word of it is a line on the standard error.
 *
 * The sandbox is Codex's own: `workspace-write` where it may write, else `read-only`. Settings that a repository brings
 * are read by Codex only for projects that its user trusted; for the run the project counts as untrusted.
 */
import { join } from 'node:path';
import type { JsonObject } from '../../lib/base/json.js';
import type { Variables } from '../process/environment.js';
import type { AgentAdapter, Heard, RunEnd, Told, TranscriptReader } from './adapter.js';
import type { AgentDenial, AgentUsage } from './agent.js';
import { agentLimits } from './agent-limits.js';
import { Rollout } from './codex-rollout.js';
import { hasFlag } from './flags.js';
import { brief, countIn, objectIn, textIn } from './members.js';

const EXEC: readonly string[] = ['exec', 'e'];
const TEXT_CHARACTERS = 300;
/** A tool call that was turned away before it became an item. */
const REFUSED = /\bcodex_core::tools::\w+: error=(.*\breject.*)$/u;
const UNREACHABLE = /^reconnecting|connection failed|stream disconnected|error sending request/iu;

export const codex: AgentAdapter = {
  name: 'codex',
  plan(command, access) {
    const at = execIndex(command);
    const before = at === -1 ? [...command, 'exec'] : command.slice(0, at + 1);
    const after = at === -1 ? [] : command.slice(at + 1);
    const added: string[] = [];
    if (!hasFlag(command, '--json', '--experimental-json')) added.push('--json');
    if (!hasFlag(command, '--skip-git-repo-check')) added.push('--skip-git-repo-check');
    if (!saysSandbox(command)) added.push('--sandbox', access === 'write' ? 'workspace-write' : 'read-only');
    return [...before, ...added, ...after, ...(after.at(-1) === '-' ? [] : ['-'])];
  },
  versionCommand(command) {
    const at = execIndex(command);
    return [...(at === -1 ? command : command.slice(0, at)), '--version'];
  },
  read: (variables) => new CodexReader(variables, Date.now()),
};

function execIndex(command: readonly string[]): number {
  return command.findIndex((word, at) => at > 0 && EXEC.includes(word));
}

function saysSandbox(command: readonly string[]): boolean {
  const flags = ['-s', '--sandbox', '--dangerously-bypass-approvals-and-sandbox', '--approve-for-me'];
  return hasFlag(command, ...flags) || command.some((word) => /^sandbox_mode\s*=/u.test(word));
}

class CodexReader implements TranscriptReader {
  #thread: string | undefined;
  #usage: AgentUsage | undefined;
  #usageBefore: AgentUsage | undefined;
  #rollout: Rollout | undefined;
  readonly #home: string | undefined;
  readonly #startedMs: number;
  #turns = 0;
  #answer = '';
  #trouble: string | undefined;
  #end: RunEnd | undefined;
  readonly #denials: AgentDenial[] = [];
  #moreDenials = 0;

  constructor({ CODEX_HOME, HOME }: Variables, startedMs: number) {
    this.#home = CODEX_HOME ?? (HOME === undefined ? undefined : join(HOME, '.codex'));
    this.#startedMs = startedMs;
  }

  take(event: JsonObject): Heard {
    switch (event['type']) {
      case 'thread.started':
        this.#begin(textIn(event, 'thread_id'));
        return {};
      case 'turn.started':
        this.#end = undefined;
        return {};
      case 'turn.completed':
        this.#turns += 1;
        this.#usage = usageOf(objectIn(event, 'usage')) ?? this.#usage;
        this.#end = {};
        return {};
      case 'turn.failed': {
        const error = textIn(objectIn(event, 'error') ?? {}, 'message') ?? 'an error without a word';
        this.#end = { error, ...(UNREACHABLE.test(error) ? { unreachable: true } : {}) };
        return {};
      }
      case 'error':
        return this.#error(textIn(event, 'message') ?? 'an error without a word');
      case 'item.started':
      case 'item.completed':
        return this.#item(objectIn(event, 'item') ?? {}, event['type'] === 'item.completed');
      default:
        return {};
    }
  }

  /** A turn that is not over says nothing of what it used. */
  look(): void {
    for (const { atMs, total } of this.#rollout?.news() ?? []) {
      if (atMs < this.#startedMs) this.#usageBefore = usageOf(total);
      else this.#usage = usageOf(total);
    }
  }

  takeError(line: string): void {
    const why = REFUSED.exec(line)?.[1];
    if (why === undefined) return;
    this.#deny({ tool: /\bpatch\b/u.test(why) ? 'apply_patch' : 'exec_command', input: { refused: why } });
  }

  #deny(denial: AgentDenial): void {
    if (this.#denials.length < agentLimits.denials) this.#denials.push(denial);
    else this.#moreDenials += 1;
  }

  told(): Told {
    return {
      ...(this.#thread === undefined ? {} : { session_id: this.#thread }),
      ...(this.#usage === undefined ? {} : { usage: this.#usage, usageIsOfThread: true }),
      ...(this.#usageBefore === undefined ? {} : { usageBefore: this.#usageBefore }),
      ...(this.#turns === 0 ? {} : { turns: this.#turns }),
      answer: this.#answer,
      denials: this.#denials,
      moreDenials: this.#moreDenials,
      ...(this.#end === undefined ? {} : { end: this.#end }),
      ...(this.#trouble === undefined ? {} : { trouble: this.#trouble }),
    };
  }

  #begin(thread: string | undefined): void {
    this.#thread = thread ?? this.#thread;
    if (this.#thread === undefined || this.#home === undefined) return;
    this.#rollout ??= new Rollout(this.#home, this.#thread);
    this.look();
  }

  #error(message: string): Heard {
    this.#trouble = message;
    return { text: brief(message, TEXT_CHARACTERS), ...(UNREACHABLE.test(message) ? { unreachable: true } : {}) };
  }

  #item(item: JsonObject, completed: boolean): Heard {
    const type = textIn(item, 'type');
    const text = textIn(item, 'text');
    if (type === 'agent_message') {
      if (completed && text !== undefined) this.#answer = text;
      return completed && text !== undefined ? { text: brief(text, TEXT_CHARACTERS) } : {};
    }
    if (completed && item['status'] === 'declined') {
      const command = textIn(item, 'command');
      this.#deny({ tool: type ?? 'unknown', ...(command === undefined ? {} : { input: { command } }) });
    }
    if (completed || type === undefined || type === 'reasoning') return {};
    return { text: brief(`[${type}] ${textIn(item, 'command') ?? ''}`, TEXT_CHARACTERS) };
  }
}

function usageOf(usage: JsonObject | undefined): AgentUsage | undefined {
  if (usage === undefined) return undefined;
  return {
    input_tokens: countIn(usage, 'input_tokens') ?? 0,
    output_tokens: countIn(usage, 'output_tokens') ?? 0,
    cached_input_tokens: countIn(usage, 'cached_input_tokens') ?? 0,
    cache_creation_input_tokens: countIn(usage, 'cache_write_input_tokens') ?? 0,
    reasoning_output_tokens: countIn(usage, 'reasoning_output_tokens') ?? 0,
  };
}

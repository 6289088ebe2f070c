/**
 * Claude Code. `claude -p --output-format stream-json` prints `system` (of subtype `init`: session, model, version),
 * `assistant` and `user` messages, and at the end one `result`.
 *
 * What the end means stands in several places: an error of the API comes as a `result` of subtype `success` with
 * `is_error`; a tool that was refused stands in `permission_denials` alone, of a run that calls itself a success.
 *
 * May it write, it may edit files and run tools without being asked; else it has the permissions of somebody who is
 * asked and never answers. The mode that skips all checks is not used: it is refused to root, and needs no less trust.
 */
import { isJsonObject, type JsonObject } from '../../lib/base/json.js';
import type { AgentAdapter, Heard, RunEnd, Told, TranscriptReader } from './adapter.js';
import type { AgentDenial, AgentUsage } from './agent.js';
import { hasFlag } from './flags.js';
import { brief, countIn, objectIn, objectsIn, textIn } from './members.js';

const WRITING_TOOLS = 'Bash,Edit,Write,NotebookEdit,WebFetch,WebSearch,Skill';
const TEXT_CHARACTERS = 300;

export const claude: AgentAdapter = {
  name: 'claude',
  plan(command, access) {
    const added: string[] = [];
    const add = (flags: readonly string[], ...words: readonly string[]) => {
      if (!hasFlag(command, ...flags)) added.push(...words);
    };
    add(['-p', '--print'], '-p');
    add(['--output-format'], '--output-format', 'stream-json');
    add(['--verbose'], '--verbose');
    // Neither the settings and hooks of the repository, nor the servers that it names.
    add(['--setting-sources', '--safe-mode', '--bare'], '--setting-sources', 'user');
    add(['--strict-mcp-config', '--mcp-config'], '--strict-mcp-config');
    add(
      ['--permission-mode', '--dangerously-skip-permissions', '--allowedTools', '--allowed-tools'],
      ...(access === 'write'
        ? ['--permission-mode', 'acceptEdits', `--allowedTools=${WRITING_TOOLS}`]
        : ['--permission-mode', 'default']),
    );
    return [...command, ...added];
  },
  read: () => new ClaudeReader(),
};

class ClaudeReader implements TranscriptReader {
  #session: string | undefined;
  #version: string | undefined;
  #model: string | undefined;
  #answer = '';
  #trouble: string | undefined;
  #result: JsonObject | undefined;
  /** Of each message so far, by its id: what a run spent that never came to its end. */
  readonly #spent = new Map<string, AgentUsage>();

  take(event: JsonObject): Heard {
    this.#session = textIn(event, 'session_id') ?? this.#session;
    switch (event['type']) {
      case 'system':
        return this.#system(event);
      case 'assistant':
        return this.#assistant(objectIn(event, 'message') ?? {}, event['parent_tool_use_id']);
      case 'result':
        this.#result = event;
        return {};
      default:
        return {};
    }
  }

  told(): Told {
    const result = this.#result;
    const usage = usageOf(result) ?? sumOf([...this.#spent.values()]);
    const cost = result === undefined ? undefined : countIn(result, 'total_cost_usd');
    const turns = result === undefined ? undefined : countIn(result, 'num_turns');
    const end = result === undefined ? undefined : endOf(result);
    return {
      ...(this.#session === undefined ? {} : { session_id: this.#session }),
      ...(this.#version === undefined ? {} : { cli_version: this.#version }),
      ...(this.#model === undefined ? {} : { model: this.#model }),
      ...(usage === undefined ? {} : { usage }),
      ...(cost === undefined ? {} : { cost_usd: cost }),
      ...(turns === undefined ? {} : { turns }),
      answer: (end?.error === undefined && result !== undefined ? textIn(result, 'result') : undefined) ?? this.#answer,
      denials: result === undefined ? [] : objectsIn(result, 'permission_denials').map(denialOf),
      ...(end === undefined ? {} : { end }),
      ...(this.#trouble === undefined ? {} : { trouble: this.#trouble }),
    };
  }

  #system(event: JsonObject): Heard {
    this.#version = textIn(event, 'claude_code_version') ?? this.#version;
    this.#model = textIn(event, 'model') ?? this.#model;
    if (event['subtype'] !== 'api_retry') return {};
    const status = countIn(event, 'error_status');
    this.#trouble = `it asks its model again: ${textIn(event, 'error') ?? 'no reason told'}${status === undefined ? '' : `, status ${status}`}`;
    return { text: this.#trouble, unreachable: true };
  }

  #assistant(message: JsonObject, parent: unknown): Heard {
    const id = textIn(message, 'id');
    const usage = usageOf(message);
    if (id !== undefined && usage !== undefined) this.#spent.set(id, usage);
    const blocks = objectsIn(message, 'content');
    const texts = blocks.flatMap((block) => (block['type'] === 'text' ? (textIn(block, 'text') ?? []) : []));
    // What a sub-agent says is not the answer.
    if (texts.length > 0 && typeof parent !== 'string') this.#answer = texts.join('\n');
    const tools = blocks.flatMap((block) => (block['type'] === 'tool_use' ? (textIn(block, 'name') ?? []) : []));
    const words = [...texts.map((text) => brief(text, TEXT_CHARACTERS)), ...tools.map((tool) => `[${tool}]`)];
    return words.length === 0 ? {} : { text: words.join(' ') };
  }
}

function endOf(result: JsonObject): RunEnd {
  const subtype = textIn(result, 'subtype');
  if (result['is_error'] !== true && subtype === 'success') return {};
  const status = countIn(result, 'api_error_status');
  const said = textIn(result, 'result') ?? objectsText(result['errors']) ?? subtype ?? 'an error without a word';
  const unreachable =
    status === undefined
      ? /connection error|unable to connect|connect(?:ion)? (?:refused|reset)/iu.test(said)
      : status >= 500 || status === 429;
  return { error: said, ...(unreachable ? { unreachable } : {}) };
}

function objectsText(errors: unknown): string | undefined {
  const texts = Array.isArray(errors) ? errors.filter((error) => typeof error === 'string') : [];
  return texts.length === 0 ? undefined : texts.join('; ').toWellFormed();
}

function denialOf(denial: JsonObject): AgentDenial {
  const input = denial['tool_input'];
  return { tool: textIn(denial, 'tool_name') ?? 'unknown', ...(isJsonObject(input) ? { input } : {}) };
}

function usageOf(event: JsonObject | undefined): AgentUsage | undefined {
  const usage = event === undefined ? undefined : objectIn(event, 'usage');
  if (usage === undefined) return undefined;
  return {
    input_tokens: countIn(usage, 'input_tokens') ?? 0,
    output_tokens: countIn(usage, 'output_tokens') ?? 0,
    cached_input_tokens: countIn(usage, 'cache_read_input_tokens') ?? 0,
    cache_creation_input_tokens: countIn(usage, 'cache_creation_input_tokens') ?? 0,
  };
}

function sumOf(usages: readonly AgentUsage[]): AgentUsage | undefined {
  if (usages.length === 0) return undefined;
  const sum = (name: keyof AgentUsage) => usages.reduce((total, usage) => total + (usage[name] ?? 0), 0);
  return {
    input_tokens: sum('input_tokens'),
    output_tokens: sum('output_tokens'),
    cached_input_tokens: sum('cached_input_tokens'),
    cache_creation_input_tokens: sum('cache_creation_input_tokens'),
  };
}

/**
 * An agent CLI that does what the prompt asks of it: `[[word]]`, or `[[word argument]]`, one after the other, and
 * `[[2:word]]` in the second phase of a run alone. It speaks
 * Claude Code's and Codex's protocols, as `fake-agent-cli.js claude|codex …`, and does on demand what the real ones were
 * seen to do: end well with a tool refused, call an error a success, exit with 0 on SIGINT, end without a last word, not
 * end at all, leave processes in sessions of their own.
 *
 * Everything stands in `deeds`; without any it says that it is done.
 */
import { spawn } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { JsonObject } from '../../lib/base/json.js';

const FOR_EVER_MS = 2_000_000_000;
const MEGABYTE = 1_048_576;
const VERSION = '0.0.9-fake';
const USAGE = { input_tokens: 100, output_tokens: 30 };

/** What the two protocols say differently. */
interface Tongue {
  begin(): void;
  say(text: string): void;
  /** Beginning of a tool call. */
  tool(command: string): void;
  unreachable(): void;
  /** The last event; with an error or refused tools. */
  end(told?: { error?: string; denied?: string }): void;
}

const print = (event: JsonObject): void => void process.stdout.write(`${JSON.stringify(event)}\n`);

function claudeTongue(): Tongue {
  const session_id = `session-${process.pid}`;
  const usage = { ...USAGE, cache_read_input_tokens: 20, cache_creation_input_tokens: 7 };
  let messages = 0;
  let answer = '';
  const message = (content: JsonObject[]) =>
    print({ type: 'assistant', message: { id: `msg_${++messages}`, role: 'assistant', content, usage }, session_id });
  return {
    begin: () =>
      print({ type: 'system', subtype: 'init', session_id, claude_code_version: VERSION, model: 'fake-model' }),
    say(text) {
      answer = text;
      message([{ type: 'text', text }]);
    },
    tool: (command) => message([{ type: 'tool_use', id: 'toolu_1', name: 'Bash', input: { command } }]),
    unreachable: () => print({ type: 'system', subtype: 'api_retry', attempt: 1, error: 'unknown', session_id }),
    end({ error, denied } = {}) {
      const denials = denied === undefined ? [] : [{ tool_name: 'Bash', tool_input: { command: denied } }];
      // An error of the API calls itself a success, too.
      print({
        num_turns: messages,
        permission_denials: denials,
        session_id,
        total_cost_usd: 0.25,
        usage: { ...usage, input_tokens: usage.input_tokens * Math.max(1, messages) },
        result: error ?? answer,
        is_error: error !== undefined,
        ...(error === undefined ? {} : { api_error_status: 400 }),
        subtype: 'success',
        type: 'result',
      });
    },
  };
}

function codexTongue(args: readonly string[]): Tongue {
  const threads = join(process.env['CODEX_HOME'] ?? process.env['HOME'] ?? '.', 'fake-threads');
  const resumed = args[args.indexOf('resume') + 1];
  const thread_id = args.includes('resume') && resumed !== undefined ? resumed : `thread-${process.pid}`;
  let items = 0;
  const item = (event: string, more: JsonObject) =>
    print({ type: `item.${event}`, item: { id: `item_${items++}`, ...more } });
  /** Of the whole thread, those before included: as the real one counts. */
  const usage = (): JsonObject => {
    mkdirSync(threads, { recursive: true });
    appendFileSync(join(threads, thread_id), 'turn\n');
    const turns = readFileSync(join(threads, thread_id), 'utf8').split('\n').length - 1;
    return {
      input_tokens: turns * USAGE.input_tokens,
      output_tokens: turns * USAGE.output_tokens,
      cached_input_tokens: turns * 20,
      reasoning_output_tokens: turns * 5,
    };
  };
  return {
    begin() {
      print({ type: 'thread.started', thread_id });
      print({ type: 'turn.started' });
    },
    say: (text) => item('completed', { type: 'agent_message', text }),
    tool: (command) => item('started', { type: 'command_execution', command, status: 'in_progress' }),
    unreachable: () => print({ type: 'error', message: 'Reconnecting... 1/5 (stream disconnected before completion)' }),
    end({ error, denied } = {}) {
      if (denied !== undefined) {
        const why = `exec_command failed for \`${denied}\`: CreateProcess { message: "Rejected(\\"not allowed\\")" } rejected`;
        process.stderr.write(`2026-11-28T00:00:00Z ERROR codex_core::tools::router: error=${why}\n`);
      }
      // An item of this type is no failure.
      item('completed', { type: 'error', message: 'something that does not matter' });
      print(
        error === undefined
          ? { type: 'turn.completed', usage: usage() }
          : { type: 'turn.failed', error: { message: error } },
      );
    },
  };
}

/** Ends the process, or resolves when the next deed may begin. */
type Deed = (tongue: Tongue, argument: string) => void | Promise<void>;

const stay = (): Promise<void> => sleep(FOR_EVER_MS);

const deeds: Readonly<Record<string, Deed>> = {
  say: (tongue, text) => tongue.say(text),
  /** `edit path`: the file gets a line more. */
  edit(tongue, path) {
    tongue.tool(`echo edited >> ${path}`);
    appendFileSync(path, 'edited\n');
  },
  argv: (tongue) => tongue.say(JSON.stringify(process.argv.slice(3))),
  env: (tongue) => tongue.say(JSON.stringify(process.env)),
  denied(tongue, command) {
    tongue.say('I could not.');
    tongue.end({ denied: command });
    process.exit(0);
  },
  error(tongue, exitCode) {
    tongue.end({ error: 'API Error: 400 no' });
    process.exit(Number(exitCode));
  },
  exit: (_, exitCode) => process.exit(Number(exitCode)),
  'end-then-exit'(tongue, exitCode) {
    tongue.end();
    process.exit(Number(exitCode));
  },
  die: () => void process.kill(process.pid, 'SIGKILL'),
  /** A moment's silence. */
  pause: (_, ms) => sleep(Number(ms)),
  /** Until its file is there. */
  async until(_, path) {
    for (;;) {
      try {
        readFileSync(path);
        return;
      } catch {
        await sleep(10);
      }
    }
  },
  hang: stay,
  async linger(tongue) {
    tongue.end();
    await stay();
  },
  /** As one that waits for its model: SIGINT ends it with exit code 0. */
  async 'polite-wait'() {
    process.on('SIGINT', () => process.exit(0));
    await stay();
  },
  async stubborn() {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {});
    await stay();
  },
  async unreachable(tongue) {
    for (;;) {
      tongue.unreachable();
      await sleep(20);
    }
  },
  /** Two processes, each in a session of its own; their pids go to the file. */
  leave(tongue, path) {
    tongue.tool('setsid sleep');
    const pids = [1, 2].map(() => {
      const child = spawn('sleep', ['4711'], { detached: true, stdio: 'ignore' });
      child.unref();
      return child.pid;
    });
    writeFileSync(path, JSON.stringify(pids));
  },
  garbage() {
    process.stdout.write('no JSON at all\n\n{"type":"result"\n[1,2]\nnull\n"text"\n{"type":5,"message":7}\n');
    process.stdout.write(Buffer.from([0xff, 0xfe, 0x00, 0x0a]));
    process.stdout.write('{"type":"result_of_another_kind","is_error":true,"usage":{"input_tokens":-1}}\n');
    process.stderr.write(Buffer.from([0xff, 0x0a]));
  },
  /** One line, of so many megabytes, that is no end of anything. */
  async megabytes(_, count) {
    const block = 'x'.repeat(MEGABYTE);
    process.stdout.write('{"type":"noise","text":"');
    for (let at = 0; at < Number(count); at++) {
      if (!process.stdout.write(block)) await new Promise((done) => process.stdout.once('drain', done));
    }
    process.stdout.write('"}\n');
  },
  /**
   * `spent N`: the file that Codex keeps of its thread says so many tokens in all; the first time with the date of a turn
   * long before this one.
   */
  spent(_, tokens) {
    const folder = join(process.env['CODEX_HOME'] ?? '.', 'sessions/2026/01/02');
    mkdirSync(folder, { recursive: true });
    const path = join(
      folder,
      `rollout-2026-01-02T03-04-05-${process.argv.at(process.argv.indexOf('resume') + 1)}.jsonl`,
    );
    const timestamp = existsSync(path) ? new Date().toISOString() : '2026-01-02T03:04:05.678Z';
    const info = { total_token_usage: { input_tokens: Number(tokens), output_tokens: 1 } };
    appendFileSync(
      path,
      `${JSON.stringify({ timestamp, type: 'event_msg', payload: { type: 'token_count', info } })}\n`,
    );
  },
  /** The members in another order, behind white space, and what says nothing known between them. */
  odd() {
    process.stdout.write('   {"future":{"type":"result"},"type":"surprise"}\r\n');
  },
};

async function main(): Promise<void> {
  const [, , kind = '', ...args] = process.argv;
  if (args.includes('--version')) {
    process.stdout.write(kind === 'codex' ? `codex-cli ${VERSION}\n` : `${VERSION} (Claude Code)\n`);
    return;
  }
  const prompt = readFileSync(0, 'utf8');
  const tongue = kind === 'codex' ? codexTongue(args) : claudeTongue();
  const phase = /\bThis is phase (\d)/u.exec(prompt)?.[1];
  const asked = [...prompt.matchAll(/\[\[(?:(\d):)?([\w-]+) ?([^\]]*)\]\]/gu)]
    .filter(([, only]) => only === undefined || only === phase)
    .map(([, , word = '', argument = '']) => ({ word, argument }));
  const has = (...words: string[]) => asked.some(({ word }) => words.includes(word));
  if (!has('silent')) tongue.begin();
  for (const { word, argument } of asked) await deeds[word]?.(tongue, argument);
  if (!has('say', 'env', 'argv')) tongue.say('It is done.');
  tongue.end();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();

/** The command that starts it, as `.agents/config.yaml` names one. */
export function fakeAgentCommand(kind: 'claude' | 'codex', ...args: readonly string[]): string[] {
  return [process.execPath, fileURLToPath(import.meta.url), kind, ...args];
}

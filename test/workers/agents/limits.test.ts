/** What bounds the run of an agent: exactly so much time and text, with a process that is only played, and a clock that is turned. */
import { mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mock } from 'node:test';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { JsonObject } from '../../../lib/base/json.js';
import type { AgentRun } from '../../../workers/agents/agent.js';
import { agentLimits } from '../../../workers/agents/agent-limits.js';
import { type CliAgentSettings, createCliAgent } from '../../../workers/agents/cli-agent.js';
import { adapterNamed } from '../../../workers/agents/registry.js';
import { RunFiles } from '../../../workers/agents/run-files.js';
import { runOf } from '../../../workers/agents/run-told.js';
import { judge, type RunFacts } from '../../../workers/agents/verdict.js';

interface Room {
  root: string;
}
const test = suite<Room>('limits of agents');

test.before.each((room) => {
  room.root = realpathSync(mkdtempSync(join(tmpdir(), 'agentopsd-')));
});
test.after.each(({ root }) => {
  mock.timers.reset();
  rmSync(root, { recursive: true, force: true });
});

type SpawnOptions = NonNullable<Parameters<CliAgentSettings['ground']['spawn']>[2]>;
/** @returns its exit code; undefined stands for a process that stays until it is ended */
type Play = (options: SpawnOptions, args: readonly string[]) => number | undefined;

const LONG_MS = 1_000_000_000;

function play(root: string, kind: 'claude' | 'codex', process: Play): Promise<AgentRun> {
  const adapter = adapterNamed(kind);
  if (adapter === undefined) throw new Error(kind);
  const agent = createCliAgent({
    worker: { name: kind, command: [kind], env: [], timeoutMs: LONG_MS, idleMs: LONG_MS },
    adapter,
    ground: {
      spawn: async (_, args = [], options = {}) => {
        const exitCode = process(options, args);
        if (exitCode !== undefined) return { exitCode, signal: undefined, stopped: undefined };
        await new Promise((ended) => options.ending?.addEventListener('abort', ended));
        return { exitCode: undefined, signal: 'SIGKILL', stopped: 'idle' };
      },
      root,
      runDir: root,
      signal: new AbortController().signal,
      marker: 'marker-of-nobody',
      variables: {},
      outputBytes: 65_536,
      log: () => {},
      nameArtifact: () => {},
      recordArtifact: async () => '',
      tell: () => {},
    },
  });
  return agent.run({ prompt: 'x', access: 'read' });
}

const line = (event: JsonObject): Buffer => Buffer.from(`${JSON.stringify(event)}\n`);
const retry = line({ type: 'system', subtype: 'api_retry', attempt: 1, error: 'unknown', session_id: 's' });
const end = line({ type: 'result', subtype: 'success', is_error: false, result: 'Done.', session_id: 's' });

/** Turns the clock while a process of Claude Code stays, having said this. @returns when it was ended, and why */
async function endedAfter(root: string, said: Buffer, mostMs: number): Promise<readonly [number, AgentRun]> {
  mock.timers.enable({ apis: ['setTimeout'] });
  let atMs = 0;
  let endedMs = Number.NaN;
  const running = play(root, 'claude', ({ onOutput, ending }) => {
    onOutput?.(said);
    ending?.addEventListener('abort', () => {
      endedMs = atMs;
    });
    return undefined;
  });
  await new Promise(setImmediate);
  for (const stepMs of [mostMs - 1, 1]) {
    atMs += stepMs;
    mock.timers.tick(stepMs);
  }
  mock.timers.reset();
  return [endedMs, await running];
}

test('agentLimits.unreachableMs: so long it may say that it does not reach its model', async ({ root }) => {
  const { unreachableMs } = agentLimits;
  const [endedMs, { failure }] = await endedAfter(root, retry, unreachableMs);
  assert.is(endedMs, unreachableMs);
  assert.equal([failure?.code, failure?.retryable], ['provider_unreachable', true]);
  assert.match(failure?.message ?? '', `did not reach its model for ${unreachableMs / 1000} s and was ended`);
});

test('agentLimits.lingerMs: so long its process may stay behind its final event', async ({ root }) => {
  const { lingerMs } = agentLimits;
  const [endedMs, { why }] = await endedAfter(root, end, lingerMs);
  assert.is(endedMs, lingerMs);
  assert.is(why, `claude told its end, but its process stayed and was ended ${lingerMs / 1000} s later`);
});

test('agentLimits.versionMs: the question for the version gets so long, and a run goes on without an answer', async ({
  root,
}) => {
  const { versionMs } = agentLimits;
  const asked: SpawnOptions[] = [];
  const { cli_version, failure } = await play(root, 'codex', (options, args) => {
    if (args.includes('--version')) asked.push(options);
    return 1;
  });
  assert.equal([asked.length, asked[0]?.timeoutMs, asked[0]?.idleMs], [1, versionMs, versionMs]);
  assert.equal([cli_version, failure?.code], [undefined, 'terminal_without_transcript']);
});

test('agentLimits.lineBytes: a longer line is counted, and not looked at', async ({ root }) => {
  const { lineBytes } = agentLimits;
  const answered = (bytes: number) => {
    const event = (result: string) => JSON.stringify({ type: 'result', subtype: 'success', is_error: false, result });
    return `${event('x'.repeat(bytes - event('').length))}\n`;
  };
  const run = (bytes: number) =>
    play(root, 'claude', ({ onOutput }) => {
      onOutput?.(Buffer.from(answered(bytes)));
      return 0;
    });
  const transcript = () =>
    (JSON.parse(readFileSync(join(root, 'artifacts/result.json'), 'utf8')) as JsonObject)['transcript'] as JsonObject;
  assert.is((await run(lineBytes)).verdict, 'succeeded');
  assert.equal([transcript()['events'], transcript()['unreadable_lines']], [1, undefined]);
  const more = await run(lineBytes + 1);
  assert.equal([transcript()['events'], transcript()['unreadable_lines']], [0, 1]);
  assert.is(more.failure?.code, 'terminal_without_transcript');
});

test('agentLimits.recordIntervalMs and recordSettleMs: how often result.json is written', ({ root }) => {
  const { recordIntervalMs, recordSettleMs } = agentLimits;
  mock.timers.enable({ apis: ['setTimeout'] });
  let nowMs = 10_000;
  Object.defineProperty(performance, 'now', { value: () => nowMs, configurable: true });
  let asked = 0;
  const files = new RunFiles({ folder: root, maxBytes: 65_536, prompt: '', result: () => ({ asked: ++asked }) });
  const pass = (ms: number) => {
    nowMs += ms;
    mock.timers.tick(ms);
    return asked;
  };
  try {
    files.changed();
    assert.is(asked, 1, 'the first change is written at once');
    for (let at = 0; at < 5; at++) files.changed();
    assert.equal([pass(recordIntervalMs - 1), pass(1)], [1, 2]);
    files.changed();
    assert.equal([pass(recordIntervalMs - 1), pass(1)], [2, 3]);
    assert.equal([pass(recordSettleMs - recordIntervalMs - 1), pass(1)], [3, 4], 'once more, a while after the last');
    assert.is(pass(10 * recordSettleMs), 4);
  } finally {
    Reflect.deleteProperty(performance, 'now');
    files.close();
  }
});

const verdict = { verdict: 'succeeded', why: '' } as const;
const told = { answer: '', denials: [] };

test('agentLimits.answerCharacters: the rest is left out, and counted', () => {
  const { answerCharacters } = agentLimits;
  const fits = runOf({ ...told, answer: 'a'.repeat(answerCharacters) }, verdict, undefined, undefined);
  assert.equal([fits.answer.length, fits.left_out], [answerCharacters, undefined]);
  const longer = runOf({ ...told, answer: 'a'.repeat(answerCharacters + 3) }, verdict, undefined, undefined);
  assert.equal([longer.answer.length, longer.left_out], [answerCharacters, { answer_characters: 3 }]);
});

test('agentLimits.denials and denialInputCharacters: what is left out is counted', async ({ root }) => {
  const { denials: most, denialInputCharacters } = agentLimits;
  const command = (characters: number) => ({ command: 'c'.repeat(characters - '{"command":""}'.length) });
  const denials = [denialInputCharacters, denialInputCharacters + 1].map((characters) => ({
    tool: 'Bash',
    input: command(characters),
  }));
  const { denials: listed, left_out } = runOf({ ...told, denials }, verdict, undefined, undefined);
  assert.equal(listed, [{ tool: 'Bash', input: command(denialInputCharacters) }, { tool: 'Bash' }]);
  assert.equal(left_out, { denial_inputs: 1 });
  const claude = (count: number) =>
    play(root, 'claude', ({ onOutput }) => {
      const refused = Array.from({ length: count }, () => ({ tool_name: 'Bash' }));
      onOutput?.(line({ type: 'result', subtype: 'success', is_error: false, permission_denials: refused }));
      return 0;
    });
  const codex = (count: number) =>
    play(root, 'codex', ({ onOutput }) => {
      for (let at = 0; at < count; at++)
        onOutput?.(line({ type: 'item.completed', item: { type: 'command_execution', status: 'declined' } }));
      return 0;
    });
  for (const run of [claude, codex]) {
    const all = await run(most);
    assert.equal([all.denials.length, all.left_out], [most, undefined]);
    const more = await run(most + 2);
    assert.equal([more.denials.length, more.left_out], [most, { denials: 2 }]);
  }
});

test('agentLimits.troubleCharacters: of what went wrong the beginning, and that it is cut', () => {
  const { troubleCharacters } = agentLimits;
  const why = (characters: number) =>
    judge({
      name: 'claude',
      end: { exitCode: 0, signal: undefined, stopped: undefined },
      told: { ...told, end: { error: 'e'.repeat(characters) } },
      events: 1,
      lastWords: '',
    } as Partial<RunFacts> as RunFacts).why;
  const most = 'e'.repeat(troubleCharacters);
  assert.is(why(troubleCharacters), `claude failed: ${most}`);
  assert.is(why(troubleCharacters + 1), `claude failed: ${most}…`);
});

test.run();

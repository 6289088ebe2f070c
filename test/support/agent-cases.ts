/**
 * What is asked of every agent CLI, over the fake one: tests that a file adds for one kind, and the bench that they and
 * others work on.
 */
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { JsonObject } from '../../lib/base/json.js';
import { sweep } from '../../lib/engine/processes.js';
import type { AgentRunFacts } from '../../lib/model/event.js';
import type { Agent, AgentRequest, AgentRun } from '../../workers/agents/agent.js';
import { createCliAgent } from '../../workers/agents/cli-agent.js';
import { adapterNamed } from '../../workers/agents/registry.js';
import { type OpenedAttempt, openTestAttempt } from './attempt.js';
import { fakeAgentCommand } from './fake-agent-cli.js';
import { isAlive, until } from './nasty-children.js';

export type Kind = 'claude' | 'codex';

export let root = '';
export let attempt: OpenedAttempt;
let named: string[] = [];
export let told: { name: string; facts: AgentRunFacts; urgent: boolean }[] = [];
type Test = ReturnType<typeof suite>;

/** Each test gets an attempt of its own, in a temporary root. */
export function prepare(test: Test): void {
  test.before.each(() => {
    root = realpathSync(mkdtempSync(join(tmpdir(), 'agentopsd-')));
    attempt = openTestAttempt(root, {
      limits: { outputBytes: 65_536, artifactBytes: 104_857_600, cancelGraceMs: 200 },
    });
    process.env['CODEX_HOME'] = root;
    named = [];
    told = [];
  });
  test.after.each(async () => {
    attempt.close();
    await sweep({ marker: attempt.task.claim.marker, recorded: [], startedAfter: undefined });
    rmSync(root, { recursive: true, force: true });
  });
}

export interface More {
  readonly args?: readonly string[];
  readonly command?: readonly string[];
  readonly timeoutMs?: number;
  readonly idleMs?: number;
  readonly unreachableMs?: number;
  readonly lingerMs?: number;
}

export function agentOf(
  kind: Kind,
  { args = [], command, timeoutMs = 20_000, idleMs = 20_000, ...limits }: More = {},
): Agent {
  const { spawn, artifacts, context, task } = attempt;
  const adapter = adapterNamed(kind);
  if (adapter === undefined) throw new Error(kind);
  return createCliAgent({
    ...limits,
    worker: { name: kind, command: command ?? fakeAgentCommand(kind, ...args), env: ['CODEX_HOME'], timeoutMs, idleMs },
    adapter,
    ground: {
      spawn,
      root,
      runDir: task.runDir,
      signal: context.signal,
      marker: task.claim.marker,
      variables: process.env,
      outputBytes: task.limits.outputBytes,
      log: context.log,
      nameArtifact(name, path) {
        named.push(name);
        artifacts.name(name, path);
      },
      recordArtifact: artifacts.record,
      tell: (name, facts, urgent) => told.push({ name, facts, urgent }),
    },
  });
}

export const run = (kind: Kind, prompt: string, more: More & Partial<AgentRequest> = {}): Promise<AgentRun> =>
  agentOf(kind, more).run({ access: 'write', ...more, prompt });
const folder = () => join(attempt.task.runDir, 'artifacts');
const file = (name: string): string => readFileSync(join(folder(), name), 'utf8');
const result = (): JsonObject => JSON.parse(file('result.json')) as JsonObject;

/** @returns what a run that has to fail came to */
async function failing(kind: Kind, prompt: string, more: More & Partial<AgentRequest> = {}): Promise<AgentRun> {
  const told = await run(kind, prompt, more);
  assert.is(told.verdict, 'failed', `${kind} ${prompt}`);
  assert.is(told.failure?.message, told.why);
  assert.is(result()['verdict'], 'failed');
  return told;
}

export function addCases(test: Test, kind: Kind): void {
  test(`a good run tells what it was and what it cost, and leaves its files as artifacts`, async () => {
    const told = await run(kind, '[[edit a.txt]] [[say Fine.]]');
    assert.is(told.verdict, 'succeeded', told.why);
    assert.is(told.answer, 'Fine.');
    assert.is(told.cli_version, '0.0.9-fake');
    assert.match(told.session_id ?? '', kind === 'claude' ? /^session-/ : /^thread-/);
    assert.is(told.usage?.output_tokens, 30);
    assert.is(told.cost_usd, kind === 'claude' ? 0.25 : undefined);
    assert.equal(told.denials, []);
    assert.is(readFileSync(join(root, 'a.txt'), 'utf8'), 'edited\n');
    const names = ['prompt.md', 'result.json', 'stderr.log', 'transcript.jsonl'];
    assert.equal(named.sort(), names);
    for (const name of names) assert.ok(attempt.artifacts.artifactRefs[name]?.sha256, name);
    assert.is(file('prompt.md'), '[[edit a.txt]] [[say Fine.]]');
    for (const line of file('transcript.jsonl').trimEnd().split('\n')) assert.type(JSON.parse(line), 'object');
    assert.is(result()['verdict'], 'succeeded');
    assert.is(result()['finished'], true);
    assert.is(result()['exit_code'], 0);
  });

  test(`what it calls a success is none when a tool was refused`, async () => {
    const told = await failing(kind, '[[denied rm x]]');
    assert.is(result()['exit_code'], 0);
    assert.is(told.denials.length, 1);
    assert.is(told.failure?.code, 'request_rejected');
    assert.match(told.why, /was refused tools that it wanted to use: (?:Bash|exec_command)/);
  });

  test(`an error that ends it is one, whatever its exit code`, async () => {
    for (const exitCode of ['0', '1']) {
      const told = await failing(kind, `[[error ${exitCode}]]`);
      assert.match(told.why, /failed: API Error: 400 no/);
      assert.is(told.failure?.code, 'request_rejected');
    }
  });

  test(`without its final event, or with another exit code, it has failed`, async () => {
    assert.is((await failing(kind, '[[say Almost.]] [[exit 0]]')).failure?.code, 'event_stream_unavailable');
    assert.match((await failing(kind, '[[exit 7]]')).why, /exit code 7 before its final event/);
    assert.match((await failing(kind, '[[end-then-exit 3]]')).why, /told a good end, but ended with exit code 3/);
    assert.match((await failing(kind, '[[die]]')).why, /ended by the signal SIGKILL/);
    const silent = await failing(kind, '[[silent]] [[exit 0]]');
    assert.is(silent.failure?.code, 'terminal_without_transcript');
  });

  test(`one that can not be started is not there`, async () => {
    const told = await failing(kind, 'x', { command: ['/nowhere/agent'] });
    assert.is(told.failure?.code, 'provider_unreachable');
    assert.match(told.why, /\/nowhere\/agent/);
  });

  test(`one that does not end is ended: by its times, behind its end, and when it reaches no model`, async () => {
    assert.match((await failing(kind, '[[hang]]', { timeoutMs: 700 })).why, /timeout_seconds.* 0\.7 s/);
    assert.match((await failing(kind, '[[stubborn]]', { idleMs: 700 })).why, /idle_seconds.* 0\.7 s/);
    assert.match((await failing(kind, '[[linger]]', { lingerMs: 100 })).why, /told its end, but its process stayed/);
    for (const limits of [{ unreachableMs: 300 }, { idleMs: 300 }]) {
      const told = await failing(kind, '[[unreachable]]', limits);
      assert.is(told.failure?.code, 'provider_unreachable', told.why);
      assert.is(told.failure?.retryable, true);
      assert.match(told.why, /did not reach its model for 0\.3 s/);
    }
  });

  test(`a stop is thrown, and what was spent until then stays on record`, async () => {
    const agent = agentOf(kind);
    const running = agent.run({ access: 'write', prompt: '[[edit a.txt]] [[polite-wait]]' });
    running.catch(() => {});
    await until(() => existsSync(join(root, 'a.txt')) && result()['session_id'] !== undefined, 'it is under way');
    attempt.stop();
    const thrown = await running.catch((error: unknown) => error as Error);
    assert.is((thrown as Error).name, 'AbortError');
    assert.is(result()['verdict'], 'failed');
    assert.match(String(result()['why']), /stopped with its job/);
    if (kind === 'claude') assert.is((result()['usage'] as JsonObject)['output_tokens'], 30);
    for (const name of ['prompt.md', 'transcript.jsonl', 'stderr.log', 'result.json']) {
      assert.ok(attempt.artifacts.artifactRefs[name], name);
    }
  });

  test(`garbage, megabyte lines and unknown events are passed over and kept`, async () => {
    const told = await run(kind, '[[garbage]] [[megabytes 3]] [[megabytes 17]] [[odd]] [[say Still here.]]');
    assert.is(told.verdict, 'succeeded', told.why);
    assert.is(told.answer, 'Still here.');
    const { unreadable_lines, left_out_bytes } = result()['transcript'] as JsonObject;
    assert.is(unreadable_lines, 7);
    assert.ok(Number(left_out_bytes) > 19 * 1_048_576);
    assert.ok(statSync(join(folder(), 'transcript.jsonl')).size <= 65_536);
    assert.match(file('transcript.jsonl'), /^\{.*\}\n/);
    assert.match(file('transcript.jsonl'), /Still here\./);
  });

  test(`what it leaves in sessions of their own ends with it`, async () => {
    const told = await run(kind, '[[leave pids.json]]');
    assert.is(told.verdict, 'succeeded', told.why);
    const pids = JSON.parse(readFileSync(join(root, 'pids.json'), 'utf8')) as number[];
    assert.is(pids.length, 2);
    assert.equal(pids.filter(isAlive), []);
  });

  test(`it gets the named variables, the marker, and nothing else of the daemon's`, async () => {
    process.env['AGENTOPSD_TOKEN'] = 'secret';
    process.env['SOMETHING_ELSE'] = 'secret';
    try {
      const { answer } = await run(kind, '[[env]]');
      const seen = JSON.parse(answer) as Record<string, string>;
      assert.is(seen['CODEX_HOME'], root);
      assert.is(seen['AGENTOPS_LEASE_MARKER'], attempt.task.claim.marker);
      assert.not.ok(Object.values(seen).includes('secret'));
    } finally {
      delete process.env['AGENTOPSD_TOKEN'];
      delete process.env['SOMETHING_ELSE'];
    }
  });
}

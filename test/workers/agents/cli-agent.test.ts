import { mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { JsonObject } from '../../../lib/base/json.js';
import { sweep } from '../../../lib/engine/processes.js';
import type { AgentRunFacts } from '../../../lib/model/event.js';
import type { Agent, AgentRequest, AgentRun } from '../../../workers/agents/agent.js';
import { createCliAgent } from '../../../workers/agents/cli-agent.js';
import { adapterNamed } from '../../../workers/agents/registry.js';
import { type OpenedAttempt, openTestAttempt } from '../../support/attempt.js';
import { fakeAgentCommand } from '../../support/fake-agent-cli.js';

const test = suite('cli agent');
const kinds = ['claude', 'codex'] as const;
type Kind = (typeof kinds)[number];

let root = '';
let attempt: OpenedAttempt;
let named: string[] = [];
let told: { name: string; facts: AgentRunFacts; urgent: boolean }[] = [];
test.before.each(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'agentopsd-')));
  attempt = openTestAttempt(root, { limits: { outputBytes: 65_536, artifactBytes: 104_857_600, cancelGraceMs: 200 } });
  process.env['CODEX_HOME'] = root;
  named = [];
  told = [];
});
test.after.each(async () => {
  attempt.close();
  await sweep({ marker: attempt.task.claim.marker, recorded: [], startedAfter: undefined });
  rmSync(root, { recursive: true, force: true });
});

interface More {
  readonly args?: readonly string[];
  readonly command?: readonly string[];
  readonly timeoutMs?: number;
  readonly idleMs?: number;
  readonly unreachableMs?: number;
  readonly lingerMs?: number;
}

function agentOf(kind: Kind, { args = [], command, timeoutMs = 20_000, idleMs = 20_000, ...limits }: More = {}): Agent {
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

const run = (kind: Kind, prompt: string, more: More & Partial<AgentRequest> = {}): Promise<AgentRun> =>
  agentOf(kind, more).run({ access: 'write', ...more, prompt });
const folder = () => join(attempt.task.runDir, 'artifacts');
const file = (name: string): string => readFileSync(join(folder(), name), 'utf8');
const result = (): JsonObject => JSON.parse(file('result.json')) as JsonObject;

for (const kind of kinds) {
  test(`${kind}: a good run tells what it was and what it cost, and leaves its files as artifacts`, async () => {
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
}

test.run();

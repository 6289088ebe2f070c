/** What people see of agents: which are here, and what a job's agents did. */
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { triedVersions } from '../../lib/model/agent-versions.js';
import type { QueueJob } from '../../lib/model/job-views.js';
import { CliRoom } from '../support/cli-room.js';
import { fakeAgentCommand } from '../support/fake-agent-cli.js';

const test = suite('agents on the command line');
let room: CliRoom;
test.before.each(async () => {
  room = await CliRoom.open();
  await room.run(['init']);
});
test.after.each(() => room.close());

interface Finding {
  check: string;
  state: string;
  text: string;
  fix?: string;
}

/** A folder with programs of these names that tell these versions. */
function programs(versions: Record<string, string>): string {
  const folder = join(room.folder, 'bin');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  for (const [name, version] of Object.entries(versions)) {
    writeFileSync(join(folder, name), `#!/bin/sh\n[ "$1" = --version ] && echo "${version} (of a kind)"\n`);
    chmodSync(join(folder, name), 0o755);
  }
  return folder;
}

async function findings(versions: Record<string, string>): Promise<Finding[]> {
  const PATH = `${programs(versions)}:/usr/bin:/bin`;
  const told = await room.run(['doctor', '--json'], { env: { PATH } });
  const { data } = JSON.parse(told.stdout) as { data: { findings: Finding[] } };
  return data.findings.filter(({ check }) => check === 'agents');
}

test('doctor tells which agents are here, in which version, and whether that was tried', async () => {
  const [claude, codex, given] = await findings({ claude: triedVersions.claude, codex: '99.0.0' });
  assert.is(claude?.state, 'ok');
  assert.match(claude?.text ?? '', `claude ${triedVersions.claude}: ${room.folder}/bin/claude; known to work`);
  assert.is(codex?.state, 'note');
  assert.match(codex?.text ?? '', `codex 99.0.0: ${room.folder}/bin/codex; not known to work`);
  assert.match(codex?.text ?? '', triedVersions.codex);
  assert.is(given?.text, 'rpi.run has no agent');
  assert.match(given?.fix ?? '', 'executors: { rpi.run: { agent: claude } }');
});

test('doctor says where an agent comes from that is not here, and of one that tells no version', async () => {
  const [claude, codex] = await findings({ codex: 'none' });
  assert.is(claude?.text, 'claude is not in PATH');
  assert.is(claude?.fix, 'npm install -g @anthropic-ai/claude-code');
  assert.match(codex?.text ?? '', 'does not tell its version');
});

test('show tells what the agents of a job did, with a daemon and from the files', async () => {
  const [program, ...args] = fakeAgentCommand('claude');
  writeFileSync(
    join(room.root, '.agents/config.yaml'),
    `executors: { rpi.run: { agent: claude } }\nagents: { claude: { command: ${JSON.stringify([program, ...args])} } }\n`,
  );
  const daemon = await room.daemon(['--trust']);
  const goal = '[[1:say Planned.]] [[2:denied rm x]]';
  const payload = JSON.stringify({ goal, max_phase: 2 });
  await room.run(['submit', '--type', 'rpi.run', '--id', 'job_a', '--payload', payload, '--wait']);
  const look = async () => (await room.json('job', ['show', 'job_a'])) as unknown as QueueJob;
  const { agent_runs: runs = [], status } = await look();
  assert.is(status, 'failed');
  assert.equal(
    runs.map(({ attempt, run, agent, verdict }) => [attempt, run, agent, verdict]),
    [
      [1, 'phase-1', 'claude', 'succeeded'],
      [1, 'phase-2', 'claude', 'failed'],
    ],
  );
  const [first, second] = runs;
  assert.is(first?.cli_version, '0.0.9-fake');
  assert.is(first?.model, 'fake-model');
  assert.is(first?.cost_usd, 0.25);
  assert.is(first?.usage?.['output_tokens'], 30);
  assert.match(first?.session_id ?? '', /^session-\d+$/);
  assert.equal(second?.denials, ['Bash']);
  const { stdout } = await room.run(['show', 'job_a']);
  assert.match(
    stdout,
    /agents\n +phase-1 \(attempt 1\) · claude 0\.0\.9-fake · succeeded · 100 tokens in, 30 out · \$0\.2500/,
  );
  assert.match(stdout, /phase-2 \(attempt 1\) · .* · failed · .* · refused Bash · /);
  const listed = (await (await fetch(`${daemon.url}/v1/status`)).json()) as { queue: { jobs: QueueJob[] } };
  assert.is(listed.queue.jobs[0]?.agent_runs, undefined);
  await daemon.stop();
  assert.equal((await look()).agent_runs, runs);
});

test('a running job tells its progress and its session', async () => {
  const [program, ...args] = fakeAgentCommand('codex');
  writeFileSync(
    join(room.root, '.agents/config.yaml'),
    `executors: { rpi.run: { agent: codex } }\nagents: { codex: { command: ${JSON.stringify([program, ...args])} } }\n`,
  );
  const daemon = await room.daemon(['--trust']);
  const payload = JSON.stringify({ goal: '[[2:edit a.txt]] [[2:until go]]' });
  await room.run(['submit', '--type', 'rpi.run', '--id', 'job_b', '--payload', payload]);
  const deadline = performance.now() + 20_000;
  for (;;) {
    const job = (await (await fetch(`${daemon.url}/v1/jobs/job_b`)).json()) as QueueJob;
    const { progress, agent_runs: runs = [] } = job;
    if (progress?.done === 1 && runs[1]?.session_id !== undefined) {
      assert.is(progress.total, 3);
      assert.match(progress.text ?? '', /^implementation: /);
      assert.is(runs[1]?.verdict, undefined);
      break;
    }
    assert.ok(performance.now() < deadline, JSON.stringify(job));
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.match((await room.run(['show', 'job_b'])).stdout, /progress +1 of 3: implementation: /);
  await room.run(['cancel', 'job_b']);
});

test.run();

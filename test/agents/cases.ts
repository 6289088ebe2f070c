/** What is tried with each of the real CLIs. A case ends well, or throws what was not as it should be. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import * as assert from 'uvu/assert';
import type { JsonObject } from '../../lib/base/json.js';
import { processesOf } from './census.js';
import type { CliName } from './machine.js';
import { IDLE_SECONDS, type Stage } from './stage.js';

export interface Case {
  readonly name: string;
  readonly refused?: boolean;
  /** @returns what came out, in words */
  try(stage: Stage, cli: CliName): Promise<string>;
}

const failureOf = (job: JsonObject): JsonObject => (job['failure'] ?? {}) as JsonObject;
const told = (job: JsonObject): string => {
  const { code, message } = failureOf(job);
  return code === undefined ? String(job['status']) : `${job['status']}, ${code}: ${message}`;
};

/** Whatever came of it: the run is on record. */
function isOnRecord(stage: Stage, id: string, attempt = 1): JsonObject {
  const result = stage.result(id, attempt);
  assert.ok(result, 'result.json is there');
  const folder = stage.path('.agents/runs', id, `attempt-${attempt}`, 'artifacts/phase-1');
  for (const name of ['prompt.md', 'transcript.jsonl', 'stderr.log']) assert.ok(existsSync(`${folder}/${name}`), name);
  assert.ok(result?.['cli_version'], 'its version is known');
  assert.ok(result?.['session_id'], 'its session is known');
  return result as JsonObject;
}

async function toolIsRunning(stage: Stage): Promise<number> {
  await stage.until('the tool runs', () => (existsSync(stage.path('tool.txt')) ? true : undefined));
  const sleepers = processesOf(stage.room.folder, stage.pids).filter(({ command }) => /^sleep 471\d/.test(command));
  assert.ok(sleepers.length >= 3, `the tool has its processes: ${JSON.stringify(sleepers)}`);
  return processesOf(stage.room.folder, stage.pids).length;
}

async function cancelled(stage: Stage, id: string): Promise<string> {
  await stage.room.json('cancelled', ['cancel', id]);
  const job = await stage.ended(id);
  assert.is(job['status'], 'cancelled');
  return String(job['status']);
}

export const cases: readonly Case[] = [
  {
    name: 'a tool call that edits a file',
    async try(stage) {
      const id = await stage.submit('[[edit]]');
      const job = await stage.ended(id);
      assert.is(job['status'], 'completed', told(job));
      assert.is(readFileSync(stage.path('edited.txt'), 'utf8'), 'edited\n');
      const result = isOnRecord(stage, id);
      assert.is(result['verdict'], 'succeeded');
      assert.equal(result['denials'], []);
      const usage = result['usage'] as JsonObject;
      assert.is(usage['input_tokens'], 200);
      assert.is(usage['output_tokens'], 60);
      const diff = readFileSync(stage.path('.agents/runs', id, 'phases/1/diff.patch'), 'utf8');
      assert.match(diff, /^\+edited$/m);
      return `${told(job)}; ${usage['input_tokens']} tokens in, ${usage['output_tokens']} out, cost ${result['cost_usd'] ?? 'not told'}`;
    },
  },
  {
    name: 'a denied tool',
    async try(stage) {
      const id = await stage.submit('[[denied]]', 'rpi.phase');
      const job = await stage.ended(id);
      assert.is(job['status'], 'failed', told(job));
      assert.is(failureOf(job)['code'], 'request_rejected');
      const result = isOnRecord(stage, id);
      assert.is(result['exit_code'], 0);
      assert.ok((result['denials'] as unknown[]).length > 0, 'the denial is told');
      assert.not.ok(existsSync(stage.path('denied.txt')));
      return told(job);
    },
  },
  {
    name: 'an error of the API',
    async try(stage) {
      const id = await stage.submit('[[error]]');
      const job = await stage.ended(id);
      assert.is(job['status'], 'failed', told(job));
      assert.is(failureOf(job)['code'], 'request_rejected');
      assert.match(String(failureOf(job)['message']), /the fake model says no/);
      isOnRecord(stage, id);
      return told(job);
    },
  },
  {
    name: 'a refused endpoint',
    refused: true,
    async try(stage) {
      const startedMs = performance.now();
      const id = await stage.submit('plain');
      const job = await stage.ended(id);
      assert.is(job['status'], 'failed', told(job));
      assert.is(failureOf(job)['code'], 'provider_unreachable', told(job));
      const seconds = (performance.now() - startedMs) / 1000;
      assert.ok(seconds < IDLE_SECONDS + 20, `it took ${seconds} s`);
      isOnRecord(stage, id);
      return `${told(job)}; after ${seconds.toFixed(0)} s`;
    },
  },
  {
    name: 'cancel during a tool',
    async try(stage) {
      const id = await stage.submit('[[sleep]]');
      const running = await toolIsRunning(stage);
      const status = await cancelled(stage, id);
      await stage.until('the run is over', () => (stage.result(id)?.['finished'] === true ? true : undefined));
      const result = isOnRecord(stage, id);
      assert.is(result['verdict'], 'failed');
      const usage = result['usage'] as JsonObject | undefined;
      assert.ok(Number(usage?.['input_tokens']) >= 100, `what was spent is kept: ${JSON.stringify(usage)}`);
      return `${status}; ${running} processes before; ${usage?.['input_tokens']} tokens in on record`;
    },
  },
  {
    name: 'cancel while it waits for its model',
    async try(stage) {
      const id = await stage.submit('[[wait]]');
      await stage.until('the model is asked', () => (stage.endpoint.waiting() > 0 ? true : undefined));
      const status = await cancelled(stage, id);
      await stage.until('the run is over', () => (stage.result(id)?.['finished'] === true ? true : undefined));
      assert.is(isOnRecord(stage, id)['verdict'], 'failed');
      return status;
    },
  },
  {
    name: 'SIGINT from elsewhere while it waits for its model',
    async try(stage, cli) {
      const id = await stage.submit('[[wait]]');
      await stage.until('the model is asked', () => (stage.endpoint.waiting() > 0 ? true : undefined));
      const [child] = leaseChildren(stage);
      assert.ok(child, 'the lease names the process');
      process.kill(child as number, 'SIGINT');
      const job = await stage.ended(id);
      assert.is(job['status'], 'failed', told(job));
      const result = isOnRecord(stage, id);
      return `${told(job)}; ${cli} itself: exit code ${result['exit_code'] ?? '–'}, signal ${result['signal'] ?? '–'}`;
    },
  },
  {
    name: 'kill -9 of the daemon during a tool',
    async try(stage) {
      const id = await stage.submit('[[sleep]]');
      const running = await toolIsRunning(stage);
      const before = processesOf(stage.room.folder, stage.pids).map(({ pid }) => pid);
      await stage.daemon?.stop('SIGKILL');
      await sleep(200);
      const orphans = processesOf(stage.room.folder, []).filter(({ pid }) => before.includes(pid)).length;
      assert.ok(orphans > 0, 'they outlive the daemon');
      await stage.start();
      const left = processesOf(stage.room.folder, stage.pids).filter(({ pid }) => before.includes(pid));
      assert.equal(left, [], 'ready means that nothing of the dead daemon runs');
      await stage.until('it is tried again', async () => ((await stage.show(id))['attempt'] === 2 ? true : undefined));
      const status = await cancelled(stage, id);
      const usage = isOnRecord(stage, id)['usage'] as JsonObject | undefined;
      return `attempt 2 began, then ${status}; ${running} processes before, ${orphans} without a daemon, 0 when ready; ${
        usage === undefined ? 'usage not told' : `${usage['input_tokens']} tokens in on record`
      }`;
    },
  },
];

/** Pids in the lease file of the one job that runs. */
function leaseChildren(stage: Stage): number[] {
  const folder = stage.path('.agents/daemon/leases');
  const [name = ''] = readdirSync(folder);
  const lease = JSON.parse(readFileSync(`${folder}/${name}`, 'utf8')) as { children: { pid: number }[] };
  return lease.children.map(({ pid }) => pid).filter((pid) => existsSync(`/proc/${pid}`));
}

/** A bench for the factory workers: a git repository with one commit, a kernel that remembers, and real processes. */
import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as assert from 'uvu/assert';
import type { JsonObject } from '../../lib/base/json.js';
import { factoryAdmission } from '../../workers/factory-admission.js';
import { factoryLocalPilot } from '../../workers/factory-local-pilot.js';
import { createBench, type WorkerBench } from './builtin-context.js';
import { GitRepository } from './git-repository.js';
import { createKernelDouble } from './kernel-double.js';

export interface FactoryRoom {
  bench: WorkerBench;
  git: GitRepository;
  /** Of the first commit. */
  base: string;
}

export interface AdmissionFile {
  allowed: boolean;
  checks: { check: string; verdict: string; found: string }[];
  blockers: { check: string; code: string; message: string; paths?: string[] }[];
  base_sha?: string;
  event_id: string;
  handoff?: { job_id: string; idempotency_key: string };
}

export function openFactoryRoom(room: FactoryRoom): void {
  room.bench = createBench();
  room.git = GitRepository.init(room.bench.root);
  room.bench.put('src/a.txt', 'one\n');
  room.bench.put('docs/index.md', '# Index\n');
  room.base = room.git.commit('first');
  room.bench.startsProcesses = true;
  room.bench.allowPayloadCommands = true;
  const kernel = join(dirname(room.bench.root), 'kernel');
  mkdirSync(kernel);
  room.bench.kernel = createKernelDouble(kernel);
}

export async function admission(room: FactoryRoom, work_order: unknown, more: JsonObject = {}): Promise<AdmissionFile> {
  await room.bench.run(factoryAdmission, 'factory.admission', { work_order, ...more } as JsonObject);
  return artifact(room, 'admission.json') as AdmissionFile;
}

export async function pilot(room: FactoryRoom, work_order: unknown, more: JsonObject = {}): Promise<PilotFile> {
  await room.bench.run(factoryLocalPilot, 'factory.local-pilot', { work_order, ...more } as JsonObject);
  return artifact(room, 'pilot.json') as PilotFile;
}

export interface PilotFile {
  verdict: string;
  why: string;
  carried_out_by: string;
  commands: { command: string; end: string; exit_code?: number; output: string }[];
  validation: { command: string; end: string; exit_code?: number; output: string }[];
  agent?: { name: string; passed: boolean; why: string; answer: string };
  diff: { bytes: number; changed_count: number; changes: { status: string; path: string }[] };
  outside_count: number;
  outside_paths: string[];
}

export function artifact({ bench }: FactoryRoom, name: string): unknown {
  const path = bench.artifacts[name];
  return path === undefined ? undefined : JSON.parse(bench.read(path));
}

/** What a pilot changed, as its artifact has it. */
export function patchOf({ bench }: FactoryRoom): string {
  return bench.read(bench.artifacts['diff.patch'] ?? '');
}

/** Events and jobs that were recorded and submitted. */
export function recorded({ bench }: FactoryRoom): { job_type?: string; event_type?: string }[] {
  return bench.kernel?.recorded() as { job_type?: string; event_type?: string }[];
}

/** Nothing of a pilot is left, in git or beside it. */
export function assertNoPilotLeft({ git, bench }: FactoryRoom): void {
  assert.equal(git.worktrees(), [bench.root]);
  assert.not(existsSync(join(bench.root, '.git/worktrees')));
  assert.is(git.run('ls-files', '--others', '--', ':(glob)**/pilot/**'), '');
}

export async function assertRejected(
  running: Promise<unknown>,
  words: RegExp,
  code = 'request_rejected',
): Promise<void> {
  const error = await running.then(
    () => undefined,
    (thrown: unknown) => thrown as { failure?: { code: string; message: string } },
  );
  assert.ok(error !== undefined, `expected a failure ${words}`);
  assert.is(error.failure?.code, code, String(error));
  assert.match(error.failure?.message ?? '', words);
}

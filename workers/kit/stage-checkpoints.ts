/**
 * What the stages of a job came to, each in a file of its own, for later attempts and later jobs: a stage whose checkpoint
 * stands is not done again. Written whole or not at all; each names the checkpoint that it went on from, and the hash of
 * what it holds, so that one which was damaged, or whose ground was changed, is known for what it is.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { canonicalJson } from '../../lib/base/canonical.js';
import { fileNameOf } from '../../lib/base/file-name.js';
import { jsonObjectIn } from '../../lib/base/json.js';
import { createFileWriter } from './atomic-write.js';
import { readRegularFile } from './sources.js';

const CHECKPOINT_BYTES = 134_217_728;

export interface Checkpoint {
  readonly built_by: string;
  readonly stage: string;
  /** The run that it belongs to, and the job that made it. */
  readonly run_id: string;
  readonly job_id: string;
  /** From 1. */
  readonly iteration: number;
  /** `result_sha256` of the checkpoint that it went on from; '' for a first one. */
  readonly after: string;
  /** Hex, of the canonical text of `result`. */
  readonly result_sha256: string;
  readonly result: unknown;
}
export type CheckpointFacts = Omit<Checkpoint, 'result_sha256' | 'result'>;

export interface CheckpointStore {
  /** Absolute. */
  pathOf(stage: string): string;
  /** Undefined where there is none that is whole. */
  read(stage: string): Promise<Checkpoint | undefined>;
  write(facts: CheckpointFacts, result: unknown): Promise<Checkpoint>;
}

/** Where the attempts of a job share what its phase `phase` came to. Absolute. */
export function phaseFolder(root: string, jobId: string, phase: number): string {
  return join(phasesFolder(root, jobId), String(phase));
}

/** Of all phases. Absolute. */
export function phasesFolder(root: string, jobId: string): string {
  return join(root, '.agents/runs', fileNameOf(jobId), 'phases');
}

export interface CheckpointPlace {
  readonly root: string;
  /** The folder of the attempt. */
  readonly runDir: string;
  /** Absolute, inside the root; open to this store though it may be closed to jobs. */
  readonly folder: string;
  /** Where a stage has its file, relative to the folder. */
  readonly fileOf: (stage: string) => string;
}

export function createCheckpointStore({ root, runDir, folder, fileOf }: CheckpointPlace): CheckpointStore {
  const pathOf = (stage: string): string => join(folder, fileOf(stage));
  return {
    pathOf,
    async read(stage) {
      const read = await readRegularFile(root, pathOf(stage), CHECKPOINT_BYTES);
      const checkpoint = 'reason' in read ? undefined : decodeCheckpoint(read.bytes.toString('utf8'));
      return checkpoint?.stage === stage ? checkpoint : undefined;
    },
    async write(facts, result) {
      // What a later attempt reads has to be what this one goes on with, down to the order of its members.
      const plain: unknown = JSON.parse(canonicalJson(result));
      const checkpoint = { ...facts, result_sha256: hashOf(plain), result: plain };
      const writer = createFileWriter(root, runDir, folder);
      await writer.write(pathOf(facts.stage), encodeCheckpoint(checkpoint));
      await writer.finish();
      return checkpoint;
    },
  };
}

export function encodeCheckpoint(checkpoint: Checkpoint): string {
  return `${canonicalJson({ schema_version: 1, ...checkpoint })}\n`;
}

/** Undefined for what is none, or is not what was written. */
export function decodeCheckpoint(text: string): Checkpoint | undefined {
  const value = jsonObjectIn(text);
  if (value?.['schema_version'] !== 1) return undefined;
  const { built_by, stage, run_id, job_id, iteration, after, result_sha256, result } = value;
  if (typeof built_by !== 'string' || typeof stage !== 'string' || typeof run_id !== 'string') return undefined;
  if (typeof job_id !== 'string' || typeof iteration !== 'number' || typeof after !== 'string') return undefined;
  if (typeof result_sha256 !== 'string' || hashOf(result) !== result_sha256) return undefined;
  return { built_by, stage, run_id, job_id, iteration, after, result_sha256, result };
}

function hashOf(value: unknown): string {
  return createHash('sha256')
    .update(canonicalJson(value ?? null), 'utf8')
    .digest('hex');
}

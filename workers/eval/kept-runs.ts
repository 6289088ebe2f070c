/**
 * What a job has found out so far, kept in its folder beside the attempts: a job that is tried again does not pay for a
 * run twice. A run is taken from here only when suite, case, files and agent are what they were; anything else in its
 * place counts as nothing. What stands there before the first attempt came with the repository, and goes.
 */
import { createHash } from 'node:crypto';
import { realpath, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { canonicalJson } from '../../lib/base/canonical.js';
import { isJsonObject } from '../../lib/base/json.js';
import type { BuiltinContext } from '../builtin-context.js';
import { createFileWriter } from '../kit/atomic-write.js';
import { readRegularFile } from '../kit/sources.js';
import { evalLimits } from './limits.js';
import type { CaseRun } from './model.js';

export interface KeptRuns {
  /** To be called before anything else. */
  begin(): Promise<void>;
  /** Absolute folder of one run, for what its agent leaves. */
  folderOf(name: string): string;
  /** @param facts all that the outcome depends on */
  find(name: string, facts: unknown): Promise<CaseRun | undefined>;
  keep(name: string, facts: unknown, run: CaseRun): Promise<void>;
  /** Makes what was kept durable. */
  finish(): Promise<void>;
}

const FOLDER = 'evals';

export function keptRuns({ root, runDir, attempt }: Pick<BuiltinContext, 'root' | 'runDir' | 'attempt'>): KeptRuns {
  const jobFolder = dirname(runDir);
  const writer = createFileWriter(root, runDir, jobFolder);
  const folderOf = (name: string) => join(jobFolder, FOLDER, name);
  const fileOf = (name: string) => join(folderOf(name), 'run.json');
  return {
    async begin() {
      if (attempt === 1) await rm(join(jobFolder, FOLDER), { recursive: true, force: true });
    },
    folderOf,
    async find(name, facts) {
      const file = fileOf(name);
      if ((await realpath(file).catch(() => undefined)) !== file) return undefined;
      const read = await readRegularFile(root, file, evalLimits.keptRunBytes);
      return 'reason' in read ? undefined : runOf(read.bytes.toString('utf8'), fingerprint(facts));
    },
    async keep(name, facts, run) {
      // The order of members is kept: a report has to come out the same, wherever its runs come from.
      await writer.write(fileOf(name), `${JSON.stringify({ fingerprint: fingerprint(facts), run })}\n`);
    },
    finish: () => writer.finish(),
  };
}

function fingerprint(facts: unknown): string {
  return createHash('sha256').update(canonicalJson(facts), 'utf8').digest('hex');
}

function runOf(text: string, wanted: string): CaseRun | undefined {
  try {
    const kept: unknown = JSON.parse(text);
    if (!isJsonObject(kept) || kept['fingerprint'] !== wanted || !isJsonObject(kept['run'])) return undefined;
    return kept['run'] as unknown as CaseRun;
  } catch {
    return undefined;
  }
}

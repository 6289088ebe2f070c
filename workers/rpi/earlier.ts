/**
 * The summaries of phases that other jobs of the same run did: a run that starts at its second phase goes on from them,
 * and so does a single phase. Only finished jobs of the ledger are looked at, never whatever lies in the run folders.
 */
import { realpath } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { BuiltinContext } from '../builtin-context.js';
import { insideRoot } from '../kit/sources.js';
import { rpiLimits } from './limits.js';
import type { EarlierPhase } from './prompt.js';
import { phases, type RpiRequest } from './request.js';
import { readObject } from './results.js';

const RUNS = join('.agents', 'runs');

/** Of each phase before the first that is to run, the newest; a phase that nobody did is left out. */
export async function earlierPhases(
  context: BuiltinContext,
  { runId, phases: wanted }: RpiRequest,
): Promise<EarlierPhase[]> {
  const first = wanted[0]?.number ?? 1;
  if (first === 1) return [];
  const { resources } = await context.consumerSnapshot();
  const all = resources.runs.filter(
    ({ job_type, status }) => job_type?.startsWith('rpi.') === true && status === 'completed',
  );
  const done = all.slice(-rpiLimits.earlierJobs).reverse();
  const found: EarlierPhase[] = [];
  for (const { number, name } of phases.filter((phase) => phase.number < first)) {
    for (const { artifacts = {} } of done) {
      const summary = await summaryIn(context, artifacts[`phase-${number}/result.json`], runId);
      if (summary === undefined) continue;
      found.push({ name, summary });
      break;
    }
    if (found.at(-1)?.name !== name && done.length < all.length)
      context.log(
        `[agentopsd: nothing of the phase ${name}: none of the last ${done.length} of ${all.length} finished jobs of rpi.* has it]`,
      );
  }
  return found;
}

async function summaryIn(
  { root }: BuiltinContext,
  path: string | undefined,
  runId: string,
): Promise<string | undefined> {
  if (path === undefined) return undefined;
  const absolute = await realpath(resolve(root, path)).catch(() => undefined);
  if (absolute === undefined || insideRoot(join(root, RUNS), absolute) === undefined) return undefined;
  const result = await readObject(root, absolute);
  if (result?.['run_id'] !== runId || result['verdict'] !== 'succeeded') return undefined;
  const summary = result['summary'];
  return typeof summary === 'string' ? summary : undefined;
}

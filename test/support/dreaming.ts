/** Runs `dream.run` on a bench, and reads what came of it. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonObject } from '../../lib/base/json.js';
import { decodeLearning } from '../../workers/dream/learning.js';
import type { DreamReport } from '../../workers/dream/report.js';
import { dreamRun } from '../../workers/dream-run.js';
import type { WorkerBench } from './builtin-context.js';

export const LEARNINGS = '.agents/learnings';

export async function dream(bench: WorkerBench, payload: JsonObject = {}): Promise<DreamReport> {
  await bench.run(dreamRun, 'dream.run', payload);
  return JSON.parse(bench.read(bench.artifacts['summary.json'] ?? '')) as DreamReport;
}

/** The statements that dreams learned. */
export function learned(bench: WorkerBench): string[] {
  const folder = join(bench.root, LEARNINGS);
  if (!existsSync(folder)) return [];
  return readdirSync(folder).flatMap((name) => decodeLearning(bench.read(`${LEARNINGS}/${name}`))?.statement ?? []);
}

/** A transcript in which an agent said these texts. */
export function transcript(...texts: readonly string[]): string {
  return texts.map((result) => `${JSON.stringify({ type: 'result', result })}\n`).join('');
}

/** A document that says so many statements: as items, so that none is its summary too. */
export function statements(count: number): string {
  return Array.from({ length: count }, (_, at) => `- Lesson: the part ${at} has to be oiled.\n`).join('');
}

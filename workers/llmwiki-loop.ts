/**
 * `llmwiki.loop`: one tick of a vault's upkeep. `ingest` takes in what is newer than the sentinel; `lint` looks through
 * links and front matter when it is due. A stage that has nothing to do is skipped, and says why: that is a success.
 *
 * What a stage decided stands in `.agents/runs/<job>/phases/<n>/`: a later attempt does the same, and does not find its
 * own work done already.
 *
 * Payload: `vault` (default `.agents/wiki`), `stages` (default both), `lint_interval_hours` (default 24; 0 lints at every
 * tick). Artifacts: `summary.json` with what each stage did, `findings.json` with what lint found.
 */
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { escapeTerminalControls } from '../lib/base/canonical.js';
import type { JsonObject } from '../lib/base/json.js';
import { counted } from '../lib/base/text.js';
import type { BuiltinContext, BuiltinHandler } from './builtin-context.js';
import { failure } from './failure.js';
import { createFileWriter, outputFolder } from './kit/atomic-write.js';
import { refuseForeignFile } from './kit/own-files.js';
import { numberMember, textListMember, textMember, told } from './kit/payload.js';
import { resolveInside, type SourcePath } from './kit/sources.js';
import { type CheckpointStore, createCheckpointStore, phasesFolder } from './kit/stage-checkpoints.js';
import { llmwikiLimits } from './llmwiki/limits.js';
import { readVault, WHY_CUT } from './llmwiki/vault-files.js';
import { type IngestPlan, ingestPlanned, isEmptyPlan, planIngest, sentinelAfter } from './llmwiki/vault-ingest.js';
import { lintVault, type VaultFinding } from './llmwiki/vault-lint.js';
import { encodeSentinel, KEPT_BY, readSentinel, type Sentinel, sentinelPath } from './llmwiki/vault-sentinel.js';
import { WIKI_FOLDER } from './wiki-forge.js';

const STAGES = ['ingest', 'lint'] as const;
type Stage = (typeof STAGES)[number];
const HOUR_MS = 3_600_000;

interface StageOutcome {
  readonly stage: Stage;
  readonly status: 'done' | 'skipped';
  /** Why it was skipped. */
  readonly reason?: string;
  readonly [fact: string]: unknown;
}
interface Linted {
  readonly linted_at: string;
  readonly finding_count: number;
  readonly findings: readonly VaultFinding[];
}
interface Tick {
  readonly context: BuiltinContext;
  readonly vault: SourcePath;
  readonly jobId: string;
  readonly store: CheckpointStore;
  readonly intervalHours: number;
  readonly nowMs: () => number;
}

export const llmwikiLoop = llmwikiLoopAt(() => Date.now());

/** @param nowMs the wall clock: what lint is due by */
export function llmwikiLoopAt(nowMs: () => number): BuiltinHandler {
  return async (job, context) => {
    const stages = stagesOf(job.payload);
    const intervalHours =
      numberMember(job.payload, 'lint_interval_hours', 0, llmwikiLimits.intervalHoursAtMost) ??
      llmwikiLimits.intervalHoursDefault;
    const vault = await vaultOf(job.payload, context.root);
    const outcomes: StageOutcome[] = [];
    let findings: readonly VaultFinding[] = [];
    if (vault === undefined) {
      const reason = `there is no ${WIKI_FOLDER} yet`;
      outcomes.push(...stages.map((stage) => ({ stage, status: 'skipped' as const, reason })));
    } else {
      await refuseForeignFile(context.root, sentinelPath(vault), 'built_by', 'payload.vault');
      const tick = { context, vault, jobId: job.job_id, store: checkpoints(job.job_id, context), intervalHours, nowMs };
      if (stages.includes('ingest')) outcomes.push(await ingestStage(tick));
      if (stages.includes('lint')) {
        const linted = await lintStage(tick);
        findings = linted.findings;
        outcomes.push(linted.outcome);
      }
    }
    const summary = { schema_version: 1, built_by: KEPT_BY, vault: vault?.path ?? WIKI_FOLDER, stages: outcomes };
    await context.artifact('summary.json', textOf(summary));
    await context.artifact('findings.json', textOf({ schema_version: 1, findings }));
    for (const { stage, status, reason } of outcomes) context.log(`${stage}: ${reason ?? status}`);
  };
}

function textOf(value: unknown): string {
  return `${escapeTerminalControls(JSON.stringify(value, null, 2))}\n`;
}

/** In the order in which they run, whatever order was asked for. */
function stagesOf(payload: JsonObject): readonly Stage[] {
  const named = textListMember(payload, 'stages');
  for (const [at, name] of named.entries()) {
    if ((STAGES as readonly string[]).includes(name)) continue;
    throw failure(
      'request_rejected',
      `payload.stages[${at}]: ${told(name)} is none; it is one of ${STAGES.join(', ')}`,
    );
  }
  return named.length === 0 ? STAGES : STAGES.filter((stage) => named.includes(stage));
}

/** Undefined when nothing was named and the default is not there: an empty vault. */
async function vaultOf(payload: JsonObject, root: string): Promise<SourcePath | undefined> {
  const named = textMember(payload, 'vault');
  if (named === undefined && (await lstat(join(root, WIKI_FOLDER)).catch(() => undefined)) === undefined)
    return undefined;
  const vault = await resolveInside(root, named ?? WIKI_FOLDER, 'payload.vault');
  if (!(await lstat(vault.absolute)).isDirectory())
    throw failure('request_rejected', `payload.vault: ${told(vault.path)} is not a folder`);
  return outputFolder(root, vault.path, 'payload.vault');
}

function checkpoints(jobId: string, { root, runDir }: BuiltinContext): CheckpointStore {
  const fileOf = (stage: string): string => `${(STAGES as readonly string[]).indexOf(stage) + 1}/llmwiki-${stage}.json`;
  return createCheckpointStore({ root, runDir, folder: phasesFolder(root, jobId), fileOf });
}

/** What an earlier attempt of this job decided, or what is decided now, and kept. */
async function decidedOnce<Result>(
  { store, jobId, vault }: Tick,
  stage: Stage,
  decide: () => Promise<Result>,
): Promise<Result> {
  const kept = await store.read(stage);
  // The hash says that it is what this stage wrote.
  if (kept?.job_id === jobId && kept.run_id === vault.path) return kept.result as Result;
  const facts = { built_by: KEPT_BY, stage, run_id: vault.path, job_id: jobId, iteration: 1, after: '' };
  return (await store.write(facts, await decide())).result as Result;
}

async function ingestStage(tick: Tick): Promise<StageOutcome> {
  const { context, vault } = tick;
  const plan = await decidedOnce<IngestPlan>(tick, 'ingest', async () =>
    planIngest(
      context.root,
      await readVault(context.root, vault, context.signal),
      await readSentinel(context.root, vault, context.log),
    ),
  );
  if (plan.cut) context.log(WHY_CUT);
  if (isEmptyPlan(plan)) return { stage: 'ingest', status: 'skipped', reason: 'nothing is newer than the sentinel' };
  const ingested = await ingestPlanned(context, vault, plan);
  await writeSentinel(tick, (sentinel) => sentinelAfter(sentinel, plan));
  const { newer, gone, waiting, cut } = plan;
  const facts = { ingested: newer, gone, waiting, ...(cut ? { cut } : {}) };
  return { stage: 'ingest', status: 'done', ...facts, ...ingested };
}

async function lintStage(
  tick: Tick,
): Promise<{ readonly outcome: StageOutcome; readonly findings: readonly VaultFinding[] }> {
  const { context, vault, nowMs } = tick;
  const linted = await decidedOnce<Linted | { readonly reason: string }>(tick, 'lint', async () => {
    const at = nowMs();
    const reason = whyNotDue(await readSentinel(context.root, vault), at, tick.intervalHours);
    if (reason !== undefined) return { reason };
    const findings = await lintVault(await readVault(context.root, vault, context.signal), context);
    const told = findings.slice(0, llmwikiLimits.findingsAtMost);
    return { linted_at: new Date(at).toISOString(), finding_count: findings.length, findings: told };
  });
  if ('reason' in linted) return { outcome: { stage: 'lint', status: 'skipped', ...linted }, findings: [] };
  const { findings, ...facts } = linted;
  await writeSentinel(tick, (sentinel) => ({ ...sentinel, lintedAt: linted.linted_at }));
  context.log(counted(linted.finding_count, 'finding'));
  return { outcome: { stage: 'lint', status: 'done', ...facts }, findings };
}

/** A last time that lies in the future is of a clock that was wrong: no reason to wait. */
function whyNotDue({ lintedAt }: Sentinel, atMs: number, intervalHours: number): string | undefined {
  if (lintedAt === undefined) return undefined;
  const lastMs = Date.parse(lintedAt);
  const dueMs = lastMs + intervalHours * HOUR_MS;
  return lastMs > atMs || dueMs <= atMs
    ? undefined
    : `not due before ${new Date(dueMs).toISOString()}: the last time was ${lintedAt}, every ${intervalHours} hours`;
}

async function writeSentinel({ context, vault }: Tick, change: (sentinel: Sentinel) => Sentinel): Promise<void> {
  const writer = createFileWriter(context.root, context.runDir);
  await writer.write(sentinelPath(vault), encodeSentinel(change(await readSentinel(context.root, vault))));
  await writer.finish();
}

/**
 * `plans.projection`: the plans of the repository as one sorted list with checksums. Bad lines, ids that stand twice and
 * dependencies on what is not there are findings of a completed job: a projection shows the plans as they are.
 *
 * Of plans with one id the first stands in the manifest, and each later one is told. The same plans give the same bytes.
 *
 * Payload: `project_id` and `refresh_trigger`, recorded as they are; `output_dir` (default: the artifacts alone).
 * Artifacts: `manifest.jsonl`, a plan a line, sorted by id; `summary.json` with counts, checksum and findings.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { canonicalJson } from '../lib/base/canonical.js';
import type { JsonObject } from '../lib/base/json.js';
import { counted } from '../lib/base/text.js';
import { createFileWriter, outputFolder } from './atomic-write.js';
import type { BuiltinContext, BuiltinHandler } from './builtin-context.js';
import { byText } from './folder-walk.js';
import { refuseForeignFile } from './own-files.js';
import { textMember, told } from './payload.js';
import type { PlanEntry } from './plan-entry.js';
import { type PlanFinding, type ReadPlans, readPlans } from './plan-sources.js';
import { plansLimits } from './plans-limits.js';

const BUILT_BY = 'plans.projection';

export const plansProjection: BuiltinHandler = async (job, context) => {
  const outputPath = textMember(job.payload, 'output_dir');
  const output =
    outputPath === undefined ? undefined : await outputFolder(context.root, outputPath, 'payload.output_dir');
  const named = {
    ...recorded(job.payload, 'project_id'),
    ...recorded(job.payload, 'refresh_trigger'),
  };
  const plans = await readPlans(context.root, context.signal);
  const { entries, findings } = projected(plans);
  const manifest = entries.map((entry) => `${canonicalJson({ ...entry, built_by: BUILT_BY })}\n`).join('');
  const summary = {
    schema_version: 1,
    built_by: BUILT_BY,
    ...named,
    source: plans.source,
    count: entries.length,
    manifest_sha256: createHash('sha256').update(manifest, 'utf8').digest('hex'),
    finding_count: findings.length,
    findings: findings.slice(0, plansLimits.findingsAtMost),
  };
  const files = new Map([
    ['manifest.jsonl', manifest],
    ['summary.json', `${JSON.stringify(summary, null, 2)}\n`],
  ]);
  await leave(files, output?.absolute, context);
  context.log(`${counted(entries.length, 'plan')} from ${plans.source}, ${counted(findings.length, 'finding')}`);
};

function recorded(payload: JsonObject, member: string): Record<string, string> {
  const value = textMember(payload, member);
  return value === undefined ? {} : { [member]: value };
}

/** Sorted, each id once, with everything that is doubtful. */
function projected({ entries: read, findings: problems }: ReadPlans): {
  entries: PlanEntry[];
  findings: PlanFinding[];
} {
  const findings = [...problems];
  const byId = new Map<string, PlanEntry>();
  for (const entry of read) {
    const first = byId.get(entry.id);
    if (first === undefined) byId.set(entry.id, entry);
    else findings.push(finding('duplicate_id', entry, `the id ${told(entry.id)} is that of ${placeOf(first)} already`));
  }
  const entries = [...byId.values()].sort(byText(({ id }) => id));
  for (const entry of entries)
    for (const id of entry.depends_on ?? [])
      if (!byId.has(id))
        findings.push(
          finding('unknown_dependency', entry, `${told(entry.id)} depends on ${told(id)}, which is not there`),
        );
  return { entries, findings: findings.sort(byPlace) };
}

function finding(kind: PlanFinding['kind'], { source, line }: PlanEntry, message: string): PlanFinding {
  return { kind, source, ...(line === undefined ? {} : { line }), message };
}

function placeOf({ source, line }: PlanEntry): string {
  return `${told(source)}${line === undefined ? '' : `, line ${line}`}`;
}

function byPlace(a: PlanFinding, b: PlanFinding): number {
  if (a.source !== b.source) return a.source < b.source ? -1 : 1;
  return (a.line ?? 0) - (b.line ?? 0);
}

async function leave(
  files: ReadonlyMap<string, string>,
  folder: string | undefined,
  context: BuiltinContext,
): Promise<void> {
  if (folder === undefined) {
    for (const [name, text] of files) await context.artifact(name, text);
    return;
  }
  for (const name of files.keys())
    await refuseForeignFile(context.root, join(folder, name), 'built_by', 'payload.output_dir');
  const writer = createFileWriter(context.root, context.runDir);
  for (const [name, text] of files) {
    context.signal.throwIfAborted();
    await writer.write(join(folder, name), text);
  }
  await writer.finish();
  for (const name of files.keys()) await context.recordArtifact(name, join(folder, name));
}

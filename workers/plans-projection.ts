/**
 * `plans.projection`: the plans of the repository as one sorted list with checksums. Bad lines, ids that stand twice,
 * dependencies on what is not there or on each other are findings of a completed job: a projection shows the plans as
 * they are.
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
import type { BuiltinContext, BuiltinHandler } from './builtin-context.js';
import { createFileWriter, outputFolder } from './kit/atomic-write.js';
import { byText } from './kit/folder-walk.js';
import { jsonText } from './kit/json-text.js';
import { refuseForeignFile } from './kit/own-files.js';
import { textMember, told } from './kit/payload.js';
import { dependencyCycles } from './plans/cycles.js';
import type { PlanEntry } from './plans/entry.js';
import { FindingList, type PlanFinding } from './plans/findings.js';
import { plansLimits } from './plans/limits.js';
import { type ReadPlans, readPlans } from './plans/sources.js';

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
    finding_count: findings.count,
    findings: findings.first(),
  };
  const files = new Map([
    ['manifest.jsonl', manifest],
    ['summary.json', jsonText(summary)],
  ]);
  await leave(files, output?.absolute, context);
  context.log(`${counted(entries.length, 'plan')} from ${plans.source}, ${counted(findings.count, 'finding')}`);
};

function recorded(payload: JsonObject, member: string): Record<string, string> {
  const value = textMember(payload, member);
  return value === undefined ? {} : { [member]: value };
}

/** Sorted, each id once, with everything that is doubtful. */
function projected(read: ReadPlans): { readonly entries: readonly PlanEntry[]; readonly findings: FindingList } {
  const findings = new FindingList();
  for (const problem of read.findings) findings.add(problem);
  const byId = new Map<string, PlanEntry>();
  for (const entry of read.entries) {
    const first = byId.get(entry.id);
    if (first === undefined) byId.set(entry.id, entry);
    else findings.add(finding('duplicate_id', entry, `the id ${told(entry.id)} is that of ${placeOf(first)} already`));
  }
  const entries = [...byId.values()].sort(byText(({ id }) => id));
  for (const entry of entries)
    for (const id of entry.depends_on ?? [])
      if (!byId.has(id))
        findings.add(
          finding('unknown_dependency', entry, `${told(entry.id)} depends on ${told(id)}, which is not there`),
        );
  for (const group of dependencyCycles(entries)) if (group[0] !== undefined) findings.add(cycle(group[0], group));
  return { entries, findings };
}

function cycle(first: PlanEntry, group: readonly PlanEntry[]): PlanFinding {
  if (group.length === 1) return finding('dependency_cycle', first, `${told(first.id)} depends on itself`);
  const shown = group.slice(0, plansLimits.cycleIdsTold).map(({ id }) => told(id));
  const more = group.length > shown.length ? [`${group.length - shown.length} more`] : [];
  return finding('dependency_cycle', first, `these depend on each other: ${[...shown, ...more].join(', ')}`);
}

function finding(kind: PlanFinding['kind'], { source, line }: PlanEntry, message: string): PlanFinding {
  return { kind, source, ...(line === undefined ? {} : { line }), message };
}

function placeOf({ source, line }: PlanEntry): string {
  return `${told(source)}${line === undefined ? '' : `, line ${line}`}`;
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

/** The worked examples of `spec/examples`, run by the workers themselves. */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { JsonObject } from '../../lib/base/json.js';
import { loadContract } from '../../lib/engine/schemas.js';
import { type BuiltinType, builtinTypes } from '../../lib/model/builtin-types.js';
import type { Delta } from '../../workers/eval/delta.js';
import type { SuiteReport } from '../../workers/eval/report.js';
import { handlers } from '../../workers/handlers.js';
import type { WorkerBench } from '../support/builtin-context.js';
import { createEvalBench } from '../support/eval-bench.js';
import { GitRepository } from '../support/git-repository.js';
import { createKernelDouble } from '../support/kernel-double.js';
import { scriptedAgent } from '../support/scripted-agent.js';
import { repositoryRoot } from '../support/sources.js';

const test = suite<WorkerBench>('examples');
const examples = join(repositoryRoot, 'spec/examples');

test.before.each((context) => {
  Object.assign(context, createEvalBench());
});
test.after.each((context) => context.remove());

async function runExample(bench: WorkerBench, jobType: BuiltinType): Promise<void> {
  const payload = JSON.parse(readFileSync(join(examples, jobType, 'payload.json'), 'utf8')) as JsonObject;
  assert.is(loadContract().payloadValidator(jobType)(payload), undefined);
  const input = join(examples, jobType, 'input');
  if (existsSync(input)) cpSync(input, bench.root, { recursive: true });
  await bench.run(await handlers[jobType](), jobType, payload);
}

test('every built-in worker has its example', () => {
  const folders = readdirSync(examples, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  assert.equal(folders.map(({ name }) => name).sort(), [...builtinTypes].sort());
});

test('wiki.forge', async (bench) => {
  await runExample(bench, 'wiki.forge');
  const manifest = JSON.parse(bench.read(bench.artifacts['manifest.json'] ?? '')) as {
    pages: { title: string; source: string }[];
  };
  assert.equal(
    manifest.pages.map(({ source, title }) => [source, title]),
    [
      ['NOTES.txt', 'NOTES'],
      ['docs/guides/power.md', 'Power in the workshop'],
      ['docs/overview.md', 'The workshop'],
    ],
  );
});

test('wiki.build, over pages as wiki.forge makes them today', async (bench) => {
  await runExample(bench, 'wiki.build');
  assert.match(bench.read('notes/wiki/index.md'), '3 pages');
  assert.match(bench.read('notes/wiki/index.md'), '[docs--overview.md](docs--overview.md) to docs--guides--safety.md');
  const pages = readdirSync(join(examples, 'wiki.build/input/notes/wiki'));
  await runExample(bench, 'wiki.forge');
  for (const page of pages) {
    const forged = bench.read(join('.agents/wiki', page));
    assert.is(readFileSync(join(examples, 'wiki.build/input/notes/wiki', page), 'utf8'), forged, page);
  }
});

/** The example's input as the first commit of a repository. */
async function runInGit(bench: WorkerBench, jobType: BuiltinType): Promise<GitRepository> {
  cpSync(join(examples, jobType, 'input'), bench.root, { recursive: true });
  const git = GitRepository.init(bench.root);
  git.commit('what the example works on');
  const kernel = join(dirname(bench.root), 'kernel');
  mkdirSync(kernel);
  Object.assign(bench, { kernel: createKernelDouble(kernel), startsProcesses: true, allowPayloadCommands: true });
  await runExample(bench, jobType);
  return git;
}

function readArtifact(bench: WorkerBench, name: string): Record<string, unknown> {
  return JSON.parse(bench.read(bench.artifacts[name] ?? '')) as Record<string, unknown>;
}

test('factory.admission', async (bench) => {
  const git = await runInGit(bench, 'factory.admission');
  const { allowed, base_sha, run_id } = readArtifact(bench, 'admission.json');
  assert.equal([allowed, base_sha, run_id], [true, git.run('rev-parse', 'HEAD'), 'greeting-in-german']);
  const submitted = bench.kernel?.recorded() as { job_type?: string }[];
  assert.is(submitted.filter(({ job_type }) => job_type === 'rpi.run').length, 1);
});

test('factory.local-pilot', async (bench) => {
  const git = await runInGit(bench, 'factory.local-pilot');
  const { verdict, outside_paths } = readArtifact(bench, 'pilot.json');
  assert.equal([verdict, outside_paths], ['pass', []]);
  assert.match(bench.read(bench.artifacts['diff.patch'] ?? ''), 'Guten Tag');
  assert.equal(git.worktrees(), [bench.root]);
});

test('dream.run, and once more without a new word', async (bench) => {
  await runExample(bench, 'dream.run');
  assert.is(bench.artifacts['summary.md'], 'reports/dream/summary.md');
  const report = JSON.parse(bench.read('reports/dream/summary.json')) as {
    dream_run_id: string;
    learned_count: number;
    groups: { known: number; merged: number };
    learnings: { file: string; statement: string; said: number; relevance: number }[];
    stale: { file: string }[];
  };
  assert.equal([report.dream_run_id, report.learned_count, report.groups.known], ['workshop-1', 3, 1]);
  const [first] = report.learnings;
  assert.match(first?.statement ?? '', 'The kettle and the lathe together trip the breaker');
  assert.equal([first?.said, first?.relevance], [2, 3]);
  assert.equal(
    report.stale.map(({ file }) => file),
    ['.agents/learnings/torch.md'],
  );
  const learnings = readdirSync(join(bench.root, '.agents/learnings')).sort();
  assert.is(learnings.length, 4);
  await runExample(bench, 'dream.run');
  assert.equal(readdirSync(join(bench.root, '.agents/learnings')).sort(), learnings);
  assert.match(bench.read('reports/dream/summary.json'), '"learned_count": 0');
});

test('dream.stage', async (bench) => {
  await runExample(bench, 'dream.stage');
  const checkpoint = bench.read('reports/stages/workshop-2/ingest.json');
  assert.is(bench.read(bench.artifacts['ingest.json'] ?? ''), checkpoint);
  assert.match(checkpoint, 'Keep a torch on the hook beside the door.');
});

test('llmwiki.loop', async (bench) => {
  await runExample(bench, 'llmwiki.loop');
  const { findings } = JSON.parse(bench.read(bench.artifacts['findings.json'] ?? '')) as {
    findings: { kind: string; document: string }[];
  };
  assert.equal(
    findings.map(({ kind, document }) => `${kind} ${document}`),
    ['broken_link index-of-tools.md', 'no_title kettle.md', 'bad_front_matter kettle.md', 'no_front_matter lathe.md'],
  );
  assert.match(bench.read('vault/vault-raw-breaker-manual.txt---388d142093.md'), '## Resetting');
});

test('openclaw.snapshot', async (bench) => {
  const source = { ledger: '.agents/daemon/ledger' };
  const resources = { runs: [], jobs: [], wiki: [] };
  const generated_at = '2026-01-02T03:04:05.000Z';
  bench.snapshot = { schema_version: 1, snapshot_id: 'snap_empty', generated_at, source, status: 'current', resources };
  await runExample(bench, 'openclaw.snapshot');
  const summary = JSON.parse(bench.read(bench.artifacts['summary.json'] ?? '')) as { reason: string };
  assert.is(summary.reason, 'kept with the release notes');
});

test('plans.projection', async (bench) => {
  await runExample(bench, 'plans.projection');
  const lines = bench.read('plans/manifest.jsonl').trimEnd().split('\n');
  assert.equal(
    lines.map((line) => JSON.parse(line) as JsonObject).map(({ id, depends_on }) => [id, depends_on]),
    [
      ['bk-1', undefined],
      ['bk-2', undefined],
      ['bk-3', ['bk-1']],
    ],
  );
  const summary = JSON.parse(bench.read('plans/summary.json')) as { project_id: string; findings: JsonObject[] };
  assert.equal(
    [summary.project_id, summary.findings.map(({ kind, line }) => [kind, line])],
    ['bakery', [['duplicate_id', 4]]],
  );
});

test('eval.suite', async (bench) => {
  await runExample(bench, 'eval.suite');
  const run = JSON.parse(bench.read(bench.artifacts['run.json'] ?? '')) as SuiteReport;
  assert.equal(
    run.cases.map(({ id, verdict }) => [id, verdict]),
    [
      ['doubles a recipe', 'pass'],
      ['refuses what is not there', 'pass'],
      ['reports as JSON', 'fail'],
    ],
  );
  assert.equal([run.verdict, run.score, run.counts.failed], ['pass', 0.75, 1]);
});

test('eval.skill-delta', async (bench) => {
  await runExample(bench, 'eval.skill-delta');
  const card = JSON.parse(bench.read(bench.artifacts['scorecard.json'] ?? '')) as Delta;
  assert.equal([card.verdict, card.difference, card.flips.to_pass.length], ['better', 0.5, 5]);
  assert.ok(card.interval !== undefined && card.interval.low > 0);
});

test('rpi.run', async (bench) => {
  const agent = scriptedAgent(['Change list.ts.', 'Changed it.', 'It holds.']);
  bench.agent = agent;
  await runExample(bench, 'rpi.run');
  assert.is(agent.requests.length, 3);
  for (const { prompt } of agent.requests) assert.match(prompt, 'An empty workshop prints `[]`.');
  assert.match(agent.requests[2]?.prompt ?? '', 'Changed it.');
  const run = JSON.parse(bench.read(bench.artifacts['run.json'] ?? '')) as { run_id: string; verdict: string };
  assert.is(run.run_id, 'list-as-json');
  assert.is(run.verdict, 'succeeded');
});

test('rpi.phase', async (bench) => {
  bench.agent = scriptedAgent(['Change list.ts.']);
  await runExample(bench, 'rpi.phase');
  assert.match(bench.read(bench.artifacts['phase-1/summary.md'] ?? ''), 'Change list.ts.');
});

test.run();

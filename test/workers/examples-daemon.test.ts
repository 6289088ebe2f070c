/** Every example of `spec/examples`, submitted to a daemon: it completes, and what it says of its artifacts is so. */
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { LedgerEvent } from '../../lib/model/event.js';
import { sha256 } from '../support/builtin-context.js';
import { DaemonFolder } from '../support/daemon.js';
import { fakeAgentCommand } from '../support/fake-agent-cli.js';
import { GitRepository } from '../support/git-repository.js';
import { repositoryRoot } from '../support/sources.js';

const test = suite<{ folder: DaemonFolder }>('examples, through a daemon');
const examples = join(repositoryRoot, 'spec/examples');
const JOB_MS = 60_000;

/** What each leaves at least, beside its output. */
const artifactsOf: Readonly<Record<string, readonly string[]>> = {
  'rpi.run': ['run.json', 'phase-3/result.json', 'phase-3/diff.patch'],
  'rpi.phase': ['run.json', 'phase-1/result.json', 'phase-1/summary.md'],
  'wiki.forge': ['manifest.json'],
  'wiki.build': ['index.md', 'manifest.json'],
  'factory.admission': ['admission.json'],
  'factory.local-pilot': ['admission.json', 'pilot.json', 'diff.patch'],
  'openclaw.snapshot': ['summary.json'],
  'plans.projection': ['manifest.jsonl', 'summary.json'],
  'eval.suite': ['run.json', 'times.json'],
  'eval.skill-delta': ['scorecard.json', 'runs.json', 'times.json'],
};

const configuration = `workers: 1
allow_payload_commands: true
executors: { rpi.run: { agent: claude }, rpi.phase: { agent: claude } }
agents: { claude: { command: ${JSON.stringify(fakeAgentCommand('claude'))} } }
`;

test.before.each(async (context) => {
  context.folder = await DaemonFolder.make(configuration);
});
test.after.each(({ folder }) => folder.close());

interface ArtifactRef {
  path: string;
  sha256: string;
  size: number;
}

function refsOf(events: readonly LedgerEvent[]): Record<string, ArtifactRef> {
  const completed = events.find(({ event_type }) => event_type === 'job.completed');
  return (completed?.payload?.['artifact_refs'] ?? {}) as unknown as Record<string, ArtifactRef>;
}

for (const { name } of readdirSync(examples, { withFileTypes: true }).filter((entry) => entry.isDirectory()))
  test(name, async ({ folder }) => {
    const input = join(examples, name, 'input');
    if (existsSync(input)) cpSync(input, folder.root, { recursive: true });
    writeFileSync(folder.path('.agents/.gitignore'), '*\n');
    GitRepository.init(folder.root).commit('what the example works on');
    await folder.startHere();
    const payload = JSON.parse(readFileSync(join(examples, name, 'payload.json'), 'utf8')) as object;
    const jobId = await folder.submit(name, payload);
    const ended = ['completed', 'failed', 'cancelled'];
    const job = await folder.until(
      () => folder.job(jobId),
      ({ status }) => ended.includes(status),
      name,
      JOB_MS,
    );
    assert.is(job.status, 'completed', JSON.stringify(job.failure));
    const refs = refsOf(await folder.events(jobId));
    for (const [artifact, ref] of Object.entries(refs)) {
      const bytes = readFileSync(join(folder.root, ref.path));
      assert.equal([ref.size, ref.sha256], [bytes.length, sha256(bytes)], artifact);
    }
    for (const artifact of artifactsOf[name] ?? [])
      assert.ok(refs[artifact] !== undefined, `${name} left no ${artifact}, but ${Object.keys(refs)}`);
    assert.is(job.attempt, 1);
  });

test.run();

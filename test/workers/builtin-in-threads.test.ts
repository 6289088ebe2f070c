/** Built-in workers where they live: in worker threads, with an agent CLI as a process, and their claims and artifacts. */
import { cp, mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { JsonObject } from '../../lib/base/json.js';
import type { JobType } from '../../lib/model/event.js';
import type { Job } from '../../lib/model/job.js';
import { repositoryRoot } from '../support/sources.js';
import { Workshop } from '../support/workshop.js';

const test = suite('built-in workers in threads');
const examples = join(repositoryRoot, 'spec/examples');
let shop: Workshop;

/** Speaks as Claude Code does: one page for every prompt, but no word about what is called secret. */
const AGENT = `import { readFileSync } from 'node:fs';
const prompt = readFileSync(0, 'utf8');
const page = { title: 'Said by an agent', summary: 'It says so.', sections: [], keywords: ['said'] };
const result = prompt.includes('secret.md') ? 'I would rather not.' : JSON.stringify(page);
const print = (event) => console.log(JSON.stringify({ session_id: 's', ...event }));
print({ type: 'system', subtype: 'init', claude_code_version: '0', model: 'm' });
print({ type: 'assistant', message: { id: 'm', role: 'assistant', content: [{ type: 'text', text: result }] } });
print({ type: 'result', subtype: 'success', is_error: false, num_turns: 1, permission_denials: [], result });
`;

test.before.each(async () => {
  shop = await Workshop.open({ workers: 1, executors: { 'wiki.forge': { kind: 'agent', agent: 'claude' } } });
  await shop.write('tools/agent.mjs', AGENT);
  await mkdir(join(shop.root, 'docs'));
  const command = [process.execPath, join(shop.root, 'tools/agent.mjs')];
  const agents = { claude: { command, env: [], timeout_seconds: 20, idle_seconds: 20 } };
  shop.configuration = { ...shop.configuration, agents };
  shop.start();
});
test.after.each(() => shop.close());

async function run(jobType: JobType, payload: JsonObject): Promise<Job> {
  const id = await shop.submit(payload, jobType);
  await shop.until(() => !['queued', 'running'].includes(shop.job(id).status), `${jobType} has ended`);
  return shop.job(id);
}

async function runExample(jobType: JobType): Promise<Job> {
  await cp(join(examples, jobType, 'input'), shop.root, { recursive: true });
  return run(jobType, JSON.parse(await readFile(join(examples, jobType, 'payload.json'), 'utf8')) as JsonObject);
}

test('dreams and vaults leave what they say they leave', async () => {
  const left: [JobType, string[]][] = [
    ['dream.run', ['output', 'summary.json', 'summary.md']],
    ['dream.stage', ['ingest.json', 'output']],
    ['llmwiki.loop', ['findings.json', 'output', 'summary.json']],
  ];
  for (const [jobType, names] of left) {
    const job = await runExample(jobType);
    assert.equal([job.status, job.failure], ['completed', undefined], jobType);
    assert.equal(Object.keys(job.artifacts ?? {}).sort(), names);
  }
  const [summary] = shop.eventsOf('job-1').slice(-1);
  assert.match(JSON.stringify(summary?.payload), '"path":"reports/dream/summary.json","sha256":');
});

test('an agent makes pages, and what it will not say is in quarantine', async () => {
  await shop.write('docs/open.md', '# Open\n');
  await shop.write('docs/secret.md', '# Secret\n');
  const job = await run('wiki.forge', { source_paths: ['docs'] });
  assert.equal([job.status, job.failure], ['completed', undefined]);
  assert.match(await shop.read('.agents/wiki/docs--open.md'), 'forged_by: "claude (agent)"');
  const names = Object.keys(job.artifacts ?? {});
  for (const name of [
    'docs--open.md',
    'quarantine/docs--secret.md.json',
    'agent/docs--open.md/try-1/transcript.jsonl',
    'agent/docs--secret.md/try-3/prompt.md',
  ])
    assert.ok(names.includes(name), `${name} of ${names.join(', ')}`);
  assert.not.ok(names.includes('docs--secret.md'));
});

test('a dream learns from the transcripts of agents that ran here', async () => {
  await shop.write(
    'tools/agent.mjs',
    AGENT.replace('It says so.', 'x').replace('JSON.stringify(page)', `'Lesson: the kettle trips the breaker.'`),
  );
  await shop.write('docs/open.md', '# Open\n');
  await run('wiki.forge', { source_paths: ['docs'] });
  await run('dream.run', {});
  const learnings = await readdir(join(shop.root, '.agents/learnings'));
  assert.is(learnings.length, 1);
  assert.match(
    await shop.read(`.agents/learnings/${learnings[0]}`),
    '"path":".agents/runs/job-1/attempt-1/artifacts/agent/',
  );
});

test.run();

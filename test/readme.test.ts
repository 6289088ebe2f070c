/** What README has people type to read and verify a ledger does what it says, on a ledger of several segments. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { DaemonFolder } from './support/daemon.js';
import { skip } from './support/skip.js';

const readme = suite('README');
const text = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
const section = text.split('\n## ').find((part) => part.startsWith('Reading the ledger')) ?? '';
const blocks = [...section.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block = '']) => block);
const [stories = '', chain = ''] = blocks;

let folder: DaemonFolder | undefined;
readme.after.each(async () => {
  await folder?.close();
  folder = undefined;
});

const missing = ['jq', 'sha256sum'].filter((program) => {
  try {
    execFileSync('sh', ['-c', `command -v ${program}`]);
    return false;
  } catch {
    return true;
  }
});

/** Two starts, so two segments: a job that fails, and one that is cancelled. */
async function makeLedger(): Promise<DaemonFolder> {
  folder = await DaemonFolder.make('executors:\n  eval.suite: { command: [sh, -c, "exit 3"] }\n  dream.run: off\n');
  const first = await folder.startHere();
  await folder.submit('eval.suite', {}, { job_id: 'fails' });
  await folder.untilStatus('fails', 'failed');
  await first.stop();
  const second = await folder.startHere();
  await folder.submit('dream.run', {}, { job_id: 'waits' });
  await second.stop();
  return folder;
}

function type(block: string, root: string): string {
  return execFileSync('sh', ['-c', block], { cwd: root, encoding: 'utf8' });
}

readme('its lines tell the story of a job, and what failed and why', async () => {
  if (missing.length > 0) return skip(`no ${missing.join(', no ')}`);
  assert.is(blocks.length, 2);
  const { root } = await makeLedger();
  const told = type(stories.replaceAll('JOB', 'fails'), root);
  for (const event of ['job.accepted', 'job.claimed', 'job.failed']) assert.match(told, `"${event}"`);
  assert.match(told, /^\["fails",".*3.*"\]$/m);
  assert.not.match(told, 'waits');
});

readme('its lines print nothing of a whole chain, and each line that does not follow', async () => {
  if (missing.length > 0) return skip(`no ${missing.join(', no ')}`);
  const { root } = await makeLedger();
  const ledger = join(root, '.agents/daemon/ledger');
  const [first = '', second = ''] = readdirSync(ledger);
  assert.is(readdirSync(ledger).length, 2);
  assert.is(type(chain, root), '');

  const whole = readFileSync(join(ledger, first), 'utf8');
  writeFileSync(join(ledger, first), whole.replace('"eval.suite"', '"dream.run"'));
  assert.match(type(chain, root), new RegExp(`^${first} does not follow at: .*job.claimed`, 'm'));

  const lines = whole.split('\n');
  writeFileSync(join(ledger, first), [...lines.slice(0, -2), (lines.at(-2) ?? '').replace('3', '4'), ''].join('\n'));
  assert.match(type(chain, root), new RegExp(`^${second} does not follow at: .*"segment"`, 'm'));
});

readme.run();

/**
 * `make demo`: the main job on real input, unattended. A temporary repository of this project's own Markdown files, a
 * daemon, real jobs over HTTP, a SIGKILL in the middle, and the history afterwards. Exits 0 only if all of it was as
 * promised.
 */
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import pc from 'picocolors';
import { agentopsd, hasProgram, heading, note, promise, run } from './commands.js';
import {
  endDaemon,
  followEvents,
  type QueueJob,
  type RunningDaemon,
  readJob,
  readToken,
  startDaemon,
  submit,
  until,
  waitForEnds,
} from './daemon.js';
import { configureExecutors, type DemoProject, makeProject, writeLessons } from './project.js';

const JOB_MS = 20_000;
const daemons: RunningDaemon[] = [];

async function main(): Promise<void> {
  heading('A repository made of this project’s own Markdown files');
  const project = makeProject();
  try {
    setUp(project);
    const token = readToken(project);
    const first = await start(project);
    await firstJobs(project, first, token);
    await dreamTwice(project, first, token);
    await killInTheMiddle(project, first, token);
    history(project);
    commitTheLedger(project);
    process.stdout.write(`\n${pc.green(pc.bold('All of it was as promised.'))}\n`);
  } finally {
    for (const daemon of daemons) await endDaemon(daemon, 'SIGKILL');
    rmSync(project.folder, { recursive: true, force: true });
  }
}

function setUp(project: DemoProject): void {
  heading('Lay down .agents; name the programs that do jobs; trust them');
  promise(agentopsd(project, 'init').status === 0, 'init lays down .agents');
  configureExecutors(project.root);
  note(
    '.agents/config.yaml now names three scripts under tools/, and lets the commands of a suite run: nothing of it does before it is trusted.',
  );
  promise(agentopsd(project, 'trust', '--yes').status === 0, 'trust takes the configuration as it is');
}

async function start(project: DemoProject): Promise<RunningDaemon> {
  const daemon = await startDaemon(project);
  daemons.push(daemon);
  return daemon;
}

async function firstJobs(project: DemoProject, daemon: RunningDaemon, token: string): Promise<void> {
  heading('Jobs over HTTP, and their events as they happen');
  const events = followEvents(daemon);
  await submit(daemon, token, { job_id: 'forge', job_type: 'wiki.forge', payload: { source_paths: project.sources } });
  const [forged] = await waitForEnds(daemon, ['forge'], JOB_MS);
  await submit(daemon, token, { job_id: 'build', job_type: 'wiki.build' });
  await submit(daemon, token, { job_id: 'edit', job_type: 'rpi.run', payload: { goal: 'Say that the demo was here' } });
  await submit(daemon, token, { job_id: 'fails', job_type: 'rpi.phase', payload: { goal: 'Fail' } });
  await submit(daemon, token, { job_id: 'plans', job_type: 'plans.projection', payload: { output_dir: 'plans' } });
  // The suite copies what this one edits: a file that changes meanwhile would end it.
  await waitForEnds(daemon, ['edit'], JOB_MS);
  const suite_path = 'evals/documents.yaml';
  await submit(daemon, token, { job_id: 'evals', job_type: 'eval.suite', payload: { suite_path } });
  const ended = await waitForEnds(daemon, ['build', 'edit', 'fails', 'plans', 'evals'], JOB_MS);
  await submit(daemon, token, { job_id: 'snapshot', job_type: 'openclaw.snapshot' });
  const [snapshot] = await waitForEnds(daemon, ['snapshot'], JOB_MS);
  await events.end();

  heading('How each job ended');
  const [build, edit, fails, plans, evals] = ended;
  for (const job of [forged, ...ended, snapshot]) if (job !== undefined) tell(job);
  promise(
    forged?.status === 'completed' && Object.keys(forged.artifacts ?? {}).length > 1,
    `wiki.forge made pages of ${project.sources.length} Markdown files`,
  );
  promise(
    build?.status === 'completed' &&
      readFileSync(join(project.root, '.agents/wiki/index.md'), 'utf8').includes('README'),
    'wiki.build made an index of them',
  );
  promise(
    edit?.status === 'completed' && readFileSync(join(project.root, 'NOTES.md'), 'utf8').includes('the demo was here'),
    'rpi.run edited NOTES.md',
  );
  promise(
    fails?.status === 'failed' && (fails.failure?.message ?? '').includes('3'),
    'the job whose program exits with 3 failed, and says so',
  );
  tellProjections(project, plans, evals);
  promise(snapshot?.status === 'completed', 'openclaw.snapshot wrote the consumer’s snapshot');
  promise(
    new Set(events.seen.map((event) => event.seq)).size === events.seen.length && events.seen.length >= 15,
    'every event was told once, as it happened',
  );
  agentopsd(project, 'logs', 'edit');
}

async function dreamTwice(project: DemoProject, daemon: RunningDaemon, token: string): Promise<void> {
  heading('What was learned, from a retrospective and a transcript below .agents');
  writeLessons(project.root);
  const learnings = () => readdirSync(join(project.root, '.agents/learnings')).sort();
  await submit(daemon, token, { job_id: 'dream', job_type: 'dream.run', payload: { goal: 'What a job has to write' } });
  const [dream] = await waitForEnds(daemon, ['dream'], JOB_MS);
  if (dream !== undefined) tell(dream);
  const first = learnings();
  promise(dream?.status === 'completed' && first.length === 2, 'dream.run made two learnings of three sentences');
  await submit(daemon, token, { job_id: 'dream-again', job_type: 'dream.run' });
  const [again] = await waitForEnds(daemon, ['dream-again'], JOB_MS);
  promise(again?.status === 'completed' && learnings().join() === first.join(), 'run again it learned nothing twice');
}

function tellProjections(project: DemoProject, plans: QueueJob | undefined, evals: QueueJob | undefined): void {
  const manifest = readIfThere(join(project.root, 'plans/manifest.jsonl')).trimEnd().split('\n');
  promise(
    plans?.status === 'completed' && manifest.map((line) => JSON.parse(line).id).join() === 'roof,walls',
    'plans.projection made a manifest of the plans, sorted by id',
  );
  const report = JSON.parse(readIfThere(join(project.root, evals?.artifacts?.['run.json'] ?? '')) || '{}');
  note(`evals/documents.yaml: verdict ${report.verdict}, score ${report.score} of ${report.threshold}`);
  promise(
    evals?.status === 'completed' && report.verdict === 'pass' && report.counts?.failed === 1,
    'eval.suite ran two cases in copies: one failed, and what passed weighs enough',
  );
  promise(readIfThere(join(project.root, 'README.md')) !== '', 'the README that a case removed in its copy is there');
}

async function killInTheMiddle(project: DemoProject, first: RunningDaemon, token: string): Promise<void> {
  heading('kill -9 while a job runs, and start again');
  await submit(first, token, { job_id: 'slow', job_type: 'factory.local-pilot' });
  const log = join(project.root, 'slow.log');
  await until('the slow program runs', JOB_MS, async () => (readIfThere(log).includes('attempt 1') ? true : undefined));
  const running = await readJob(first, 'slow');
  note(
    `slow is ${running.status}, attempt ${running.attempt}, lease ${running.lease_epoch} until ${running.lease_expires_at}`,
  );
  process.stdout.write(`${pc.bold('$')} kill -9 ${first.process.pid}\n`);
  const killedAt = Date.now();
  await endDaemon(first, 'SIGKILL');
  const pid = Number(/process (\d+)/.exec(readIfThere(log))?.[1]);
  promise(isAlive(pid), `the program of attempt 1 (process ${pid}) outlived the daemon: this is what must not stay so`);

  const second = await start(project);
  note(`ready again ${Date.now() - killedAt} ms after the kill`);
  promise(!isAlive(pid), 'what was left of attempt 1 was ended before anything else ran');
  const events = followEvents(second, running.last_event_id);
  const [slow] = await waitForEnds(second, ['slow'], JOB_MS);
  await events.end();
  if (slow !== undefined) tell(slow);
  promise(
    slow?.status === 'completed' && slow.attempt === 2 && slow.lease_epoch === 2,
    'the job was tried again and ended: attempt 2, lease epoch 2',
  );
  agentopsd(project, 'status');
  process.stdout.write(`${pc.bold('$')} kill ${second.process.pid}\n`);
  await endDaemon(second, 'SIGTERM');
  promise(second.process.exitCode === 0, 'the daemon stops in order, with exit code 0');
}

/** The same rows where there is no jq. */
const withoutJq = [
  'const members = ["seq", "occurred_at", "event_type", "job_id", "actor"];',
  'const lines = require("fs").readFileSync(0, "utf8").trimEnd().split("\\n").map(JSON.parse);',
  'for (const event of lines) if (event.event_id) console.log(members.map((name) => event[name]).join("\\t"));',
].join(' ');

function history(project: DemoProject): void {
  heading('The history, with nothing but cat and jq');
  const ledger = '.agents/daemon/ledger/*.jsonl';
  const filter = 'select(.event_id) | [.seq, .occurred_at, .event_type, .job_id, .actor] | @tsv';
  const reader = hasProgram('jq') ? `jq -r '${filter}'` : `node -e '${withoutJq}'`;
  const printed = run(project, 'sh', ['-c', `cat ${ledger} | ${reader}`], `cat ${ledger} | ${reader}`);
  const types = printed.stdout
    .split('\n')
    .filter((line) => line.includes('\tslow\t'))
    .map((line) => line.split('\t')[2]);
  const whole = types.filter((type) => type !== 'job.heartbeat').join(' ');
  promise(
    whole === 'job.accepted job.claimed job.lease_expired job.claimed job.completed',
    'the ledger tells the story of `slow`: accepted, claimed, lost, claimed again, completed',
  );
  promise(agentopsd(project, 'verify').status === 0, 'verify finds nothing wrong');
}

function commitTheLedger(project: DemoProject): void {
  heading('Commit the ledger to git');
  run(project, 'git', ['add', '.agents']);
  const staged = run(project, 'git', ['diff', '--cached', '--name-only']).stdout.trim().split('\n');
  const stray = staged.filter((path) =>
    /token|lock|lease|output\.log|projections|activation|\/run\/|\/runs\//.test(path),
  );
  promise(stray.length === 0, 'no token, lock, lease, log or projection is taken into git');
  promise(
    staged.some((path) => /^\.agents\/daemon\/ledger\/.+\.jsonl$/.test(path)),
    'the ledger is',
  );
  promise(run(project, 'git', ['commit', '--quiet', '--message', 'What the agents did']).status === 0, 'committed');
  run(project, 'git', ['log', '--oneline', '--stat', '-1', '--', '.agents/daemon']);
}

function tell(job: QueueJob): void {
  const failure = job.failure === undefined ? '' : `  ${job.failure.code}: ${job.failure.message ?? ''}`;
  process.stdout.write(`${pc.bold(job.job_id)} (${job.job_type}) ${job.status}, attempt ${job.attempt}${failure}\n`);
  const artifacts = Object.entries(job.artifacts ?? {});
  for (const [name, path] of artifacts.slice(0, 4)) process.stdout.write(`  ${name}: ${path}\n`);
  if (artifacts.length > 4) process.stdout.write(`  … and ${artifacts.length - 4} more\n`);
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** A process that has ended and that nobody has collected yet (a zombie) is not alive. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  return !/^\d+ \(.*\) Z/s.test(readIfThere(`/proc/${pid}/stat`));
}

await main().catch((error: unknown) => {
  process.stderr.write(`\n${pc.red('The demo failed:')} ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});

/** The daemon as the demo sees it: a process that is started, asked over HTTP, followed, and killed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pc from 'picocolors';
import type { components } from '../../lib/model/contract.js';
import { daemonArguments } from './commands.js';
import type { DemoProject } from './project.js';

type Schemas = components['schemas'];
export type QueueJob = Schemas['QueueJob'];
export type Event = Schemas['Event'];

const START_MS = 15_000;
const POLL_MS = 50;

export interface RunningDaemon {
  readonly url: string;
  readonly process: ChildProcess;
}

interface Activation {
  url: string;
  pid: number;
}

/** Starts the daemon on a free port and waits until its activation file names it. */
export async function startDaemon(project: DemoProject): Promise<RunningDaemon> {
  process.stdout.write(`${pc.bold('$')} agentopsd run --addr 127.0.0.1:0 &\n`);
  const child = spawn(process.execPath, daemonArguments, {
    cwd: project.root,
    env: project.env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const show = (bytes: Buffer) => process.stdout.write(bytes.toString('utf8').replace(/^(?=.)/gm, '  '));
  child.stdout?.on('data', show);
  child.stderr?.on('data', show);
  const { url } = await until('the daemon is ready', START_MS, async () => {
    if (child.exitCode !== null) throw new Error(`the daemon ended with exit code ${child.exitCode}`);
    const activation = readActivation(project.root);
    return activation?.pid === child.pid ? activation : undefined;
  });
  return { url, process: child };
}

function readActivation(root: string): Activation | undefined {
  try {
    return JSON.parse(readFileSync(join(root, '.agents', 'daemon', 'activation.json'), 'utf8')) as Activation;
  } catch {
    return undefined;
  }
}

/** Ends the daemon and waits for it. */
export async function endDaemon(daemon: RunningDaemon, signal: NodeJS.Signals): Promise<void> {
  const { process: child } = daemon;
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill(signal);
  await ended;
}

/** The token that `init` made: outside the repository, in the folder of this root. */
export function readToken(project: DemoProject): string {
  const [folder] = readdirSync(project.stateDir);
  if (folder === undefined) throw new Error('init made no state folder');
  return readFileSync(join(project.stateDir, folder, 'token'), 'utf8').trim();
}

export async function submit(daemon: RunningDaemon, token: string, envelope: object): Promise<Schemas['SubmitAnswer']> {
  const response = await fetch(`${daemon.url}/v1/jobs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify(envelope),
  });
  const answer = (await response.json()) as Schemas['SubmitAnswer'];
  process.stdout.write(
    `${pc.bold('POST /v1/jobs')} ${JSON.stringify(envelope).slice(0, 160)}\n  ${response.status} ${JSON.stringify(answer)}\n`,
  );
  if (response.status !== 202) throw new Error(`not accepted: ${JSON.stringify(answer)}`);
  return answer;
}

export async function readJob(daemon: RunningDaemon, jobId: string): Promise<QueueJob> {
  const response = await fetch(`${daemon.url}/v1/jobs/${encodeURIComponent(jobId)}`);
  if (!response.ok) throw new Error(`job ${jobId}: ${response.status} ${await response.text()}`);
  return (await response.json()) as QueueJob;
}

/** Waits until each job has ended; answers them in the same order. */
export async function waitForEnds(
  daemon: RunningDaemon,
  jobIds: readonly string[],
  limitMs: number,
): Promise<QueueJob[]> {
  return until(`the end of ${jobIds.join(', ')}`, limitMs, async () => {
    const jobs = await Promise.all(jobIds.map((jobId) => readJob(daemon, jobId)));
    return jobs.every((job) => ['completed', 'failed', 'cancelled'].includes(job.status)) ? jobs : undefined;
  });
}

/** Prints each event as it happens, until the daemon ends or the answer is called. Answers the types seen, too. */
export function followEvents(daemon: RunningDaemon, since?: string): { end(): Promise<void>; seen: Event[] } {
  const abort = new AbortController();
  const seen: Event[] = [];
  const query = since === undefined ? '' : `?since=${encodeURIComponent(since)}`;
  const following = readStream(`${daemon.url}/v1/events${query}`, abort.signal, (event) => {
    seen.push(event);
    process.stdout.write(
      `  ${pc.dim(`event ${event.seq}`)} ${event.event_type.padEnd(18)} ${event.job_id} ${pc.dim(event.actor)}\n`,
    );
  });
  const end = (): Promise<void> => {
    abort.abort();
    return following;
  };
  return { seen, end };
}

async function readStream(url: string, signal: AbortSignal, onEvent: (event: Event) => void): Promise<void> {
  try {
    const response = await fetch(url, { headers: { accept: 'text/event-stream' }, signal });
    let rest = '';
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      const messages = (rest + chunk).split('\n\n');
      rest = messages.pop() ?? '';
      for (const message of messages) {
        const data = /^data: ?(.*)$/m.exec(message)?.[1];
        if (data !== undefined) onEvent(JSON.parse(data) as Event);
      }
    }
  } catch {
    // The daemon was killed, or the demo has seen enough.
  }
}

/** Asks until there is an answer. Fails, saying what it waited for, when the time is up. */
export async function until<T>(what: string, limitMs: number, ask: () => Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + limitMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > deadline) throw new Error(`waited ${limitMs} ms in vain for: ${what}`);
    await delay(POLL_MS);
  }
}

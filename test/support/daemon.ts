/**
 * Daemons in a temporary folder: in this process (`startHere`) or one of their own (`startProcess`), with a small client
 * of their HTTP surface. `close` ends what was started and removes the folder.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promises as fs } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Daemon, type DaemonOptions, startDaemon } from '../../lib/engine/daemon.js';
import type { LedgerEvent } from '../../lib/model/event.js';
import type { QueueJob } from '../../lib/model/job-views.js';
import type { Ready, Status } from '../../lib/model/views.js';

const MAIN = fileURLToPath(new URL('./daemon-main.js', import.meta.url));
const DEADLINE_MS = 15_000;

export interface DaemonProcess {
  readonly process: ChildProcess;
  readonly url: string;
  /** Exit code, or the signal that ended it. */
  readonly exited: Promise<number | string>;
  stderr(): string;
}

export class DaemonFolder {
  readonly root: string;
  readonly stateFolder: string;
  readonly environment: Record<string, string>;
  url = '';
  readonly #top: string;
  readonly #here: Daemon[] = [];
  readonly #processes: DaemonProcess[] = [];

  /** @param configuration text of `.agents/config.yaml`; what it names is trusted at each start */
  static async make(configuration = ''): Promise<DaemonFolder> {
    const top = await fs.realpath(await fs.mkdtemp(path.join(os.tmpdir(), 'agentopsd-')));
    const folder = new DaemonFolder(top);
    await fs.mkdir(path.join(folder.root, '.agents'), { recursive: true });
    await folder.configure(configuration);
    return folder;
  }

  private constructor(top: string) {
    this.#top = top;
    this.root = path.join(top, 'repository');
    this.stateFolder = path.join(top, 'state');
    const { PATH = '', HOME = '' } = process.env;
    this.environment = { PATH, HOME, AGENTOPSD_STATE_DIR: this.stateFolder, AGENTOPSD_TOKEN: 'test-token' };
  }

  configure(text: string): Promise<void> {
    return fs.writeFile(path.join(this.root, '.agents', 'config.yaml'), text);
  }

  async startHere(options: Partial<DaemonOptions> = {}): Promise<Daemon> {
    const daemon = await startDaemon({
      root: this.root,
      address: '127.0.0.1:0',
      trust: true,
      environment: this.environment,
      ...options,
    });
    this.#here.push(daemon);
    this.url = daemon.url;
    return daemon;
  }

  async startProcess(options: Partial<DaemonOptions> = {}): Promise<DaemonProcess> {
    const given = { root: this.root, address: '127.0.0.1:0', trust: true, environment: this.environment, ...options };
    const child = spawn(process.execPath, [MAIN, JSON.stringify(given)], {
      env: this.environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    const exited = once(child, 'exit').then(([code, signal]) => (signal ?? code) as number | string);
    const url = await new Promise<string>((resolve, reject) => {
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        stdout += text;
        if (stdout.includes('\n')) resolve((JSON.parse(stdout.slice(0, stdout.indexOf('\n'))) as { url: string }).url);
      });
      exited.then((how) => reject(new Error(`the daemon ended: ${how}\n${stderr}`)));
    });
    const started = { process: child, url, exited, stderr: () => stderr };
    this.#processes.push(started);
    this.url = url;
    return started;
  }

  async post(route: string, body: unknown): Promise<{ status: number; body: Record<string, unknown> }> {
    const response = await fetch(this.url + route, {
      method: 'POST',
      headers: { authorization: 'Bearer test-token', 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  }
  async get<Body>(route: string): Promise<Body> {
    return (await (await fetch(this.url + route)).json()) as Body;
  }
  async submit(job_type: string, payload: object = {}, more: object = {}): Promise<string> {
    const answer = await this.post('/v1/jobs', { job_type, payload, ...more });
    if (answer.status !== 202) throw new Error(`${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body['job_id'] as string;
  }
  async job(jobId: string): Promise<QueueJob> {
    const found = (await this.get<Status>('/v1/status')).queue.jobs.find((job) => job.job_id === jobId);
    if (found === undefined) throw new Error(`no job ${jobId}`);
    return found;
  }
  ready(): Promise<Ready> {
    return this.get<Ready>('/v1/ready');
  }
  async events(jobId?: string): Promise<LedgerEvent[]> {
    const { events } = await this.get<{ events: LedgerEvent[] }>('/v1/events');
    return events.filter((event) => jobId === undefined || event.job_id === jobId);
  }

  /** Asks again and again until the answer satisfies `condition`. */
  async until<Answer>(
    ask: () => Promise<Answer>,
    condition: (answer: Answer) => boolean,
    what: string,
    deadlineMs = DEADLINE_MS,
  ): Promise<Answer> {
    const end = performance.now() + deadlineMs;
    for (;;) {
      const answer = await ask();
      if (condition(answer)) return answer;
      if (performance.now() > end)
        throw new Error(`not within ${deadlineMs} ms: ${what}; last: ${JSON.stringify(answer)}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  untilStatus(jobId: string, status: QueueJob['status'], deadlineMs = DEADLINE_MS): Promise<QueueJob> {
    return this.until(
      () => this.job(jobId),
      (job) => job.status === status,
      `${jobId} ${status}`,
      deadlineMs,
    );
  }

  path(...parts: string[]): string {
    return path.join(this.root, ...parts);
  }
  read(...parts: string[]): Promise<string> {
    return fs.readFile(this.path(...parts), 'utf8');
  }

  async close(): Promise<void> {
    await Promise.all(this.#here.splice(0).map((daemon) => daemon.stop({ quick: true })));
    for (const { process: child, exited } of this.#processes.splice(0)) {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
      await exited;
    }
    await fs.rm(this.#top, { recursive: true, force: true });
  }
}

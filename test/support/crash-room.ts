/**
 * A repository with a state folder of its own and the built daemon as a process in it, which is made to be killed: it
 * may be started under a wrapper or a preloaded library, and killed before it is ready.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import type { components } from '../../lib/model/contract.js';
import type { Ready, Status } from '../../lib/model/views.js';
import { CliRoom, MAIN, theDocument } from './cli-room.js';

export interface Launch {
  readonly words?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Words before `node`, ending in what becomes the same process: `['prlimit', '--fsize=0']`. */
  readonly wrapper?: readonly string[];
}

export interface Reply<Body = Record<string, unknown>> {
  readonly status: number;
  readonly body: Body;
}

export type Events = components['schemas']['Events'];

const READY_DEADLINE_MS = 30_000;
const SHOWN_CHARACTERS = 2_000;
/** For commands that speak to a daemon of this room: its token is not the one in the state folder. */
export const TOKEN = 'crash-test-token';
const ASK_DEADLINE_MS = 30_000;

export class CrashDaemon {
  readonly process: ChildProcess;
  /** Exit code, or the signal that ended it. */
  readonly exited: Promise<number | string>;
  /** Resolves with the time from the start to the daemon's own word. */
  readonly ready: Promise<number>;
  #stdout = '';
  #stderr = '';
  #url = '';
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });

  constructor(child: ChildProcess) {
    const began = performance.now();
    this.process = child;
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
    });
    this.exited = once(child, 'close').then(([code, signal]) => {
      this.#agent.destroy();
      return (signal ?? code) as number | string;
    });
    this.ready = new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`not ready in time\n${this.#stderr}`)), READY_DEADLINE_MS);
      child.stdout?.setEncoding('utf8').on('data', (text: string) => {
        this.#stdout += text;
        if (this.#url !== '' || !this.#stdout.includes('\n')) return;
        const facts = theDocument(this.#stdout)['data'] as { url: string } | undefined;
        // What refuses to start says so in a document too, and ends.
        if (facts === undefined) return;
        this.#url = facts.url;
        clearTimeout(late);
        resolve(performance.now() - began);
      });
      void this.exited.then((how) => {
        clearTimeout(late);
        reject(new Error(`the daemon ended: ${how}\n${this.#stdout}${this.#stderr}`));
      });
    });
    // Whoever kills it before it is ready does not wait for that.
    this.ready.catch(() => undefined);
  }

  get pid(): number {
    return this.process.pid ?? 0;
  }
  get url(): string {
    return this.#url;
  }
  stdout(): string {
    return this.#stdout;
  }
  stderr(): string {
    return this.#stderr;
  }

  /** Answers how it ended. */
  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | string> {
    if (signal === 'SIGKILL') this.process.kill('SIGCONT');
    this.process.kill(signal);
    return this.exited;
  }

  /** @throws the error of the connection */
  ask<Body = Record<string, unknown>>(method: string, path: string, body?: unknown): Promise<Reply<Body>> {
    const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    return new Promise((resolve, reject) => {
      const asking = request(this.#url + path, {
        method,
        agent: this.#agent,
        signal: AbortSignal.timeout(ASK_DEADLINE_MS),
        headers: {
          authorization: `Bearer ${TOKEN}`,
          ...(bytes && { 'content-type': 'application/json', 'content-length': bytes.length }),
        },
      });
      asking.on('error', reject);
      asking.on('response', (response) => {
        const pieces: Buffer[] = [];
        response.on('data', (piece: Buffer) => pieces.push(piece));
        response.on('error', reject);
        response.on('end', () => {
          try {
            resolve({ status: response.statusCode ?? 0, body: JSON.parse(Buffer.concat(pieces).toString()) as Body });
          } catch (error) {
            reject(error);
          }
        });
      });
      asking.end(bytes);
    });
  }

  submit(envelope: object): Promise<Reply> {
    return this.ask('POST', '/v1/jobs', envelope);
  }
  async tellsReady(): Promise<Ready> {
    return (await this.ask<Ready>('GET', '/v1/ready')).body;
  }
  async tellsStatus(): Promise<Status> {
    return (await this.ask<Status>('GET', '/v1/status')).body;
  }
  async tellsEvents(): Promise<Events> {
    return (await this.ask<Events>('GET', '/v1/events')).body;
  }

  /** Asks again and again until the answer satisfies `condition`. */
  async until<Answer>(
    what: string,
    ask: () => Promise<Answer>,
    condition: (answer: Answer) => boolean,
  ): Promise<Answer> {
    const end = performance.now() + READY_DEADLINE_MS;
    for (;;) {
      const answer = await ask();
      if (condition(answer)) return answer;
      if (performance.now() > end) throw new Error(`never: ${what}; last: ${shown(answer)}\n${this.#stderr}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}

export class CrashRoom {
  readonly cli: CliRoom;
  readonly #daemons: CrashDaemon[] = [];

  static async open(): Promise<CrashRoom> {
    return new CrashRoom(await CliRoom.open());
  }

  private constructor(cli: CliRoom) {
    this.cli = cli;
  }

  get root(): string {
    return this.cli.root;
  }
  get ledger(): string {
    return this.path('.agents/daemon/ledger');
  }
  path(...parts: string[]): string {
    return join(this.cli.root, ...parts);
  }
  read(...parts: string[]): Promise<string> {
    return readFile(this.path(...parts), 'utf8');
  }

  /** `agentopsd run` on a free port; does not wait for anything. */
  launch({ words = [], env = {}, wrapper = [] }: Launch = {}): CrashDaemon {
    const line = [...wrapper, process.execPath, MAIN, 'run', '--addr', '127.0.0.1:0', '--json', ...words];
    const child = spawn(line[0] as string, line.slice(1), {
      cwd: this.cli.root,
      env: { ...this.cli.environment, AGENTOPSD_TOKEN: TOKEN, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const daemon = new CrashDaemon(child);
    this.#daemons.push(daemon);
    return daemon;
  }

  /** The same, and waits until it is ready. */
  async start(launch: Launch = {}): Promise<CrashDaemon> {
    const daemon = this.launch(launch);
    await daemon.ready;
    return daemon;
  }

  async endAll(): Promise<void> {
    for (const daemon of this.#daemons.splice(0)) await daemon.end('SIGKILL');
  }

  async close(): Promise<void> {
    await this.endAll();
    await this.cli.close();
  }
}

function shown(answer: unknown): string {
  const text = JSON.stringify(answer) ?? '';
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)} …` : text;
}

/** The daemon's own account of why it is not ready. */
export function readyWords({ degraded_reasons = [] }: Ready): string {
  return degraded_reasons.join('\n');
}

/** Where a process stands: `T` is stopped. */
export function processState(pid: number): string | undefined {
  try {
    return /^State:\s+(\S)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  } catch {
    return undefined;
  }
}

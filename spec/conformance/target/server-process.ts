/** The process of a target that this program owns: started in a group of its own, so that all of it can be killed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { request } from 'node:http';
import { pause } from '../waiting.js';

const KEPT_OUTPUT_CHARACTERS = 1_000_000;
const TOLD_OUTPUT_CHARACTERS = 1_500;
const ASK_EVERY_MS = 40;
/** A server that answers, but never well, is there after this long. */
const ANSWERS_BADLY_MS = 2_000;
const STOP_WITHIN_MS = 10_000;

/** The process ended, or never answered. */
export class NoStart extends Error {
  override readonly name = 'NoStart';
}

export interface ProcessOptions {
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly base: string;
  readonly readyTimeoutMs: number;
  /** Largest file that it may write, in blocks of 512 bytes (`ulimit -f`). */
  readonly fileBlocks: number | undefined;
}

/** Groups that are alive. */
const alive = new Set<number>();

export function killAllGroups(): void {
  for (const pid of alive) signalGroup(pid, 'SIGKILL');
}

export class ServerProcess {
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  #output = '';
  #ended: string | undefined;

  constructor({ command, environment, fileBlocks }: ProcessOptions) {
    const [program = '', ...rest] = limited(command, fileBlocks);
    this.#child = spawn(program, rest, { env: environment, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
    const { pid } = this.#child;
    if (pid !== undefined) alive.add(pid);
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output = (this.#output + text).slice(-KEPT_OUTPUT_CHARACTERS);
      });
    }
    this.#exited = new Promise((resolve) => {
      this.#child.once('error', (error) => {
        this.#ended = error.message;
        resolve();
      });
      this.#child.once('exit', (code, signal) => {
        this.#ended = signal === null ? `exit code ${code}` : `signal ${signal}`;
        if (pid !== undefined) alive.delete(pid);
        resolve();
      });
    });
  }

  /** What it printed, both streams in one; the newest million characters. */
  get output(): string {
    return this.#output;
  }

  get isAlive(): boolean {
    return this.#ended === undefined;
  }

  /** @throws NoStart */
  async untilAnswers({ base, readyTimeoutMs }: ProcessOptions): Promise<void> {
    const end = Date.now() + readyTimeoutMs;
    let answersSince: number | undefined;
    while (Date.now() < end) {
      if (this.#ended !== undefined) throw new NoStart(`the process ended, ${this.#ended}. ${this.#lastWords()}`);
      const status = await healthOf(base);
      if (status === 200) return;
      if (status !== undefined) answersSince ??= Date.now();
      if (answersSince !== undefined && Date.now() - answersSince > ANSWERS_BADLY_MS) return;
      await pause(ASK_EVERY_MS);
    }
    throw new NoStart(`no answer of GET /v1/health within ${readyTimeoutMs} ms. ${this.#lastWords()}`);
  }

  /** SIGKILL for the whole group; there when the process has ended. */
  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.#exited;
  }

  /** SIGTERM, and SIGKILL for what is left. */
  async stop(): Promise<void> {
    this.signal('SIGTERM');
    const late = setTimeout(() => this.signal('SIGKILL'), STOP_WITHIN_MS);
    await this.#exited;
    clearTimeout(late);
    await this.kill();
  }

  /** To the whole group. */
  signal(name: NodeJS.Signals): void {
    if (this.#child.pid !== undefined) signalGroup(this.#child.pid, name);
  }

  #lastWords(): string {
    const words = this.#output.trim().slice(-TOLD_OUTPUT_CHARACTERS);
    return words === '' ? 'It printed nothing.' : `It printed: ${words}`;
  }
}

function signalGroup(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(-pid, name);
  } catch {
    // All of it has ended.
  }
}

function limited(command: readonly string[], fileBlocks: number | undefined): readonly string[] {
  return fileBlocks === undefined ? command : ['sh', '-c', `ulimit -f ${fileBlocks} && exec "$@"`, 'sh', ...command];
}

function healthOf(base: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    const asking = request(new URL(`${base.replace(/\/$/, '')}/v1/health`), { agent: false, timeout: 2_000 });
    asking.on('response', (answer) => {
      answer.resume();
      answer.once('close', () => resolve(answer.statusCode));
    });
    asking.on('timeout', () => asking.destroy());
    asking.on('error', () => resolve(undefined));
    asking.end();
  });
}

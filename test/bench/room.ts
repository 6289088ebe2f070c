/** Where a row is measured: a fresh repository with its state folder, and the processes that it needs, each its own. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DaemonOrder, Memory } from './daemon-process.js';
import type { LoadFigures, LoadOrder } from './load-process.js';

export const TOKEN = 'bench-token';
const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** One order as this process gives it: the port and the token are the room's. */
type Order<O> = O extends LoadOrder ? Omit<O, 'port' | 'token'> & { readonly port?: number } : never;

export interface RunningDaemon {
  readonly port: number;
  memory(): Promise<Memory>;
  /** Resolves when the process is gone. */
  stop(): Promise<void>;
}

export class Room {
  readonly top: string;
  readonly root: string;
  readonly state: string;
  readonly #children = new Set<ChildProcess>();
  #load: ChildProcess | undefined;

  static async open(): Promise<Room> {
    const room = new Room(
      await realpath(await mkdtemp(join(process.env['BENCH_FOLDER'] ?? tmpdir(), 'agentopsd-bench-'))),
    );
    await mkdir(room.root);
    return room;
  }

  private constructor(top: string) {
    this.top = top;
    this.root = join(top, 'repository');
    this.state = join(top, 'state');
  }

  async startDaemon(how: Partial<Pick<DaemonOrder, 'workers' | 'idleWorkers'>> = {}): Promise<RunningDaemon> {
    const order: DaemonOrder = {
      root: this.root,
      state: this.state,
      token: TOKEN,
      workers: 0,
      idleWorkers: true,
      ...how,
    };
    const child = this.#fork('daemon-process.js', [JSON.stringify(order)]);
    const { port } = await told<{ port: number }>(child);
    return {
      port,
      memory: () => {
        child.send('memory');
        return told<Memory>(child);
      },
      stop: () => {
        child.send('stop');
        return this.#gone(child);
      },
    };
  }

  /** @param durable whether each request is made durable before its answer, and does nothing else */
  async startPolka({ durable } = { durable: false }): Promise<{ readonly port: number }> {
    return told<{ port: number }>(this.#fork('polka-process.js', durable ? [join(this.top, 'durable-baseline')] : []));
  }

  /** A process that does one thing, tells one message, and ends. */
  async once<Message>(name: string, order: object): Promise<Message> {
    const child = this.#fork(name, [JSON.stringify(order)]);
    const message = await told<Message>(child);
    await this.#gone(child);
    return message;
  }

  /** Carries out one order; orders given one after another use one process. */
  async load(port: number, order: Order<LoadOrder>, own = false): Promise<LoadFigures> {
    this.#load ??= this.#fork('load-process.js', []);
    const child = own ? this.#fork('load-process.js', []) : this.#load;
    child.send({ ...order, port, token: TOKEN });
    const answer = await told<{ figures?: LoadFigures; error?: string }>(child);
    if (own) child.disconnect();
    if (answer.figures === undefined) throw new Error(`the load broke off: ${answer.error}`);
    return answer.figures;
  }

  async close(): Promise<void> {
    for (const child of this.#children) if (child.connected) child.disconnect();
    await Promise.all([...this.#children].map((child) => this.#gone(child)));
    await rm(this.top, { recursive: true, force: true });
  }

  #fork(name: string, args: string[]): ChildProcess {
    const execArgv = [
      '--expose-gc',
      ...(name === 'daemon-process.js' ? (process.env['BENCH_DAEMON_ARGV']?.split(' ') ?? []) : []),
    ];
    const child = fork(here(name), args, { execArgv });
    this.#children.add(child);
    return child;
  }

  async #gone(child: ChildProcess): Promise<void> {
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    this.#children.delete(child);
  }
}

async function told<Message>(child: ChildProcess): Promise<Message> {
  const broken = new AbortController();
  const exited = once(child, 'exit', { signal: broken.signal }).then(([code]) => {
    throw new Error(`a process of the benchmark ended with ${code}`);
  });
  try {
    const [message] = (await Promise.race([once(child, 'message'), exited])) as [Message];
    return message;
  } finally {
    broken.abort();
    exited.catch(() => {});
  }
}

/** Opens a room, works in it, and leaves nothing behind. */
export async function inRoom<Answer>(work: (room: Room) => Promise<Answer>): Promise<Answer> {
  const room = await Room.open();
  try {
    return await work(room);
  } finally {
    await room.close();
  }
}

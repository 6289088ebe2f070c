/** A real kernel over a ledger in memory that can be followed, and the real HTTP server on a free port before it. */
import type { Clock } from '../../lib/base/clock.js';
import { silentLogger } from '../../lib/base/log.js';
import { Kernel } from '../../lib/engine/kernel.js';
import type { HttpDependencies } from '../../lib/http/dependencies.js';
import { createHttpServer, type HttpServer } from '../../lib/http/server.js';
import type { LedgerEvent } from '../../lib/model/event.js';
import type { StoredEvent } from '../../lib/storage/ledger.js';
import { createNodeDisk } from '../../lib/storage/node-disk.js';
import { capabilities, type TokenEntry } from '../../lib/storage/token-file.js';
import { type Answer, type Asking, ask } from './http-client.js';
import { MemoryLedger } from './memory-ledger.js';

export const TOKEN = 'token-of-the-tests';
export const legacy: TokenEntry = Object.freeze({ name: 'legacy', token: TOKEN, capabilities, localOnly: true });

/** Clocks that a test can move; everything else is real. */
export class MovedClock implements Clock {
  aheadMs = 0;
  monotonicAheadMs = 0;
  wallMs(): number {
    return Date.now() + this.aheadMs;
  }
  monotonicMs(): number {
    return performance.now() + this.monotonicAheadMs;
  }
  after(delayMs: number, work: () => void): () => void {
    const timer = setTimeout(work, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  }
}

/** The memory ledger, with readers that wait for what comes. */
export class FollowedLedger extends MemoryLedger {
  #wake = new Set<() => void>();

  override flush(): void {
    super.flush();
    for (const wake of [...this.#wake]) wake();
  }

  override async *tail(fromSeq: number, signal: AbortSignal): AsyncGenerator<StoredEvent> {
    let next = fromSeq;
    while (!signal.aborted) {
      for await (const stored of this.read(next)) {
        if (signal.aborted) return;
        yield stored;
        next = stored.event.seq + 1;
      }
      if (next <= this.lastSeq()) continue;
      await this.#change(signal);
    }
  }

  #change(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#wake.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      this.#wake.add(wake);
      signal.addEventListener('abort', wake);
    });
  }
}

export interface Served {
  readonly kernel: Kernel;
  readonly ledger: FollowedLedger;
  readonly clock: MovedClock;
  readonly server: HttpServer;
  readonly url: string;
  readonly port: number;
  readonly told: string[];
  /** Asks over HTTP and checks the answer against the document. */
  ask(method: string, path: string, asking?: Asking): Promise<Answer>;
  /** The same with the token. */
  mutate(path: string, body?: unknown, asking?: Asking): Promise<Answer>;
  /** `seq` of the last event: to see that nothing was appended. */
  lastSeq(): number;
  close(): Promise<void>;
}

export interface Serving {
  readonly replayed?: readonly LedgerEvent[];
  /** Whether the batch of an event counts as ours; default all. */
  readonly oursWhen?: (event: LedgerEvent) => boolean;
  readonly dependencies?: Partial<HttpDependencies>;
}

export async function serve({
  replayed = [],
  oursWhen = () => true,
  dependencies = {},
}: Serving = {}): Promise<Served> {
  const clock = new MovedClock();
  const kernel = new Kernel(clock);
  const ledger = new FollowedLedger(kernel.observer);
  for (const event of replayed) {
    ledger.events.push(event);
    kernel.observer.onReplayed(event, oursWhen(event));
  }
  kernel.attach(ledger);
  const told: string[] = [];
  const server = createHttpServer({
    kernel,
    clock,
    random: { bytes: (count) => crypto.getRandomValues(new Uint8Array(count)) },
    disk: createNodeDisk(),
    root: '/nowhere',
    tokens: [legacy],
    http: { reads: 'open', allowed_hosts: [], allowed_origins: [] },
    maxAttempts: 3,
    failpoints: false,
    runLog: async () => undefined,
    logger: (level, message, facts) => {
      told.push(`${level} ${message} ${JSON.stringify(facts)}`);
      silentLogger(level, message);
    },
    ...dependencies,
  });
  const { url, port } = await server.listen('127.0.0.1', 0);
  return {
    kernel,
    ledger,
    clock,
    server,
    url,
    port,
    told,
    ask: (method, path, asking) => ask(port, method, path, asking),
    mutate: (path, body, asking = {}) => {
      const headers = { 'X-AgentOps-Daemon-Token': TOKEN, ...asking.headers };
      return ask(port, 'POST', path, { ...asking, headers, ...(body === undefined ? {} : { body }) });
    },
    lastSeq: () => ledger.lastSeq(),
    close: () => server.close(),
  };
}

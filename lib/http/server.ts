/**
 * The server: polka routes requests over `node:http`. What every request passes on its way to a handler stands in
 * `gate.ts`, what can be served in `routes.ts`.
 */
import { setMaxListeners } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import polka, { type Polka, type Request } from 'polka';
import { AgentopsdError } from '../base/errors.js';
import { limits } from '../base/limits.js';
import { SubmitTexts } from '../model/submit-text.js';
import { Activity } from './activity.js';
import { type Connections, watchConnections } from './connections.js';
import type { HttpDependencies } from './dependencies.js';
import type { HttpService } from './exchange.js';
import { createGate } from './gate.js';
import { isLoopbackAddress } from './host.js';
import { Intake } from './intake.js';
import { allowedMethods, patternOf, routesByPath } from './routes.js';
import { ViewCache } from './view-cache.js';

export interface HttpServer {
  /**
   * Listens on a loopback address; port 0 takes a free one.
   * @throws AgentopsdError `usage` (another address), `address_in_use`
   */
  listen(host: string, port: number): Promise<{ url: string; port: number }>;
  /** Ends streams, lets answers under way finish for a moment, then lets go of everything. Idempotent. */
  close(): Promise<void>;
}

const CONNECTIONS_CHECK_MS = 1000;
/** How long an answer under way may take once the server closes. */
const CLOSE_GRACE_MS = 2000;
const CLOSE_STEP_MS = 50;
/** Connections above the limit are still heard, to be told so; above this many more they are cut. */
const TOLD_CONNECTIONS = 256;

export function createHttpServer(dependencies: HttpDependencies): HttpServer {
  const closing = new AbortController();
  // Every stream listens: there may be as many as there are connections.
  setMaxListeners(0, closing.signal);
  const activity = new Activity();
  const server = createServer({
    requireHostHeader: false,
    headersTimeout: limits.httpHeadMs,
    requestTimeout: limits.httpRequestMs,
    keepAliveTimeout: limits.httpIdleMs,
    connectionsCheckingInterval: CONNECTIONS_CHECK_MS,
  });
  server.maxConnections = limits.httpConnections + TOLD_CONNECTIONS;
  const connections = watchConnections(server, activity);
  let takenPort = 0;
  const service: HttpService = {
    dependencies,
    activity,
    intake: new Intake(dependencies.kernel, dependencies.clock),
    views: new ViewCache(dependencies.kernel, dependencies.clock, dependencies.random),
    submitTexts: new SubmitTexts(),
    closing: closing.signal,
    get port() {
      return takenPort;
    },
  };
  const app = createApp(server, createGate(service, connections));
  server.on('request', turnByTurn(app.handler));
  let closed: Promise<void> | undefined;
  return {
    listen: async (host, port) => {
      const address = await listen(server, host, port);
      takenPort = address.port;
      return address;
    },
    close: () => {
      closing.abort();
      closed ??= closeServer(server, connections, dependencies);
      return closed;
    },
  };
}

/** Every path of the table for its methods, and for any other method the same 405. */
function createApp(server: Server, gate: ReturnType<typeof createGate>) {
  const app = polka({ server, onError: gate.onError, onNoMatch: gate.unknownPath });
  for (const [path, sharing] of routesByPath()) {
    const pattern = patternOf(path);
    for (const route of sharing) app.add(route.method, pattern, gate.through(route, pattern));
    app.all(pattern, gate.methodNotAllowed(allowedMethods(sharing)));
  }
  rememberPlainPaths(app);
  return app;
}

/**
 * Requests that came in one turn of the event loop are handled together at its end: by then their bodies have come with
 * them, and what they append goes to the disk in one batch.
 */
function turnByTurn(handle: Polka['handler']): (request: IncomingMessage, response: ServerResponse) => void {
  let waiting: [IncomingMessage, ServerResponse][] = [];
  const handleAll = (): void => {
    const taken = waiting;
    waiting = [];
    for (const [request, response] of taken) void handle(request as Request, response, undefined as never);
  };
  return (request, response) => {
    if (waiting.push([request, response]) === 1) setImmediate(handleAll);
  };
}

/** What polka finds for a path without braces is always the same: the whole table is gone through once for each. */
function rememberPlainPaths(app: Polka): void {
  const plain = routesByPath()
    .map(([path]) => path)
    .filter((path) => !path.includes('{'));
  const foundByPath = new Map(plain.map((path) => [path, new Map<string, ReturnType<Polka['find']>>()]));
  const find = app.find.bind(app);
  app.find = (method, path) => {
    const found = foundByPath.get(path);
    if (found === undefined) return find(method, path);
    let known = found.get(method);
    if (known === undefined) {
      known = find(method, path);
      found.set(method, known);
    }
    return known;
  };
}

async function listen(server: Server, host: string, port: number): Promise<{ url: string; port: number }> {
  if (host !== 'localhost' && !isLoopbackAddress(host)) {
    throw new AgentopsdError(
      'usage',
      `${host} is no loopback address: the daemon listens on loopback addresses alone`,
      {
        hint: 'use 127.0.0.1, and a tunnel (ssh -L) to reach it from elsewhere',
      },
    );
  }
  await new Promise<void>((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException): void => reject(whyNotListening(error, host, port));
    server.once('error', onError);
    server.listen(port, host, () => {
      server.off('error', onError);
      resolve();
    });
  });
  const taken = (server.address() as AddressInfo).port;
  return { url: `http://${host.includes(':') ? `[${host}]` : host}:${taken}`, port: taken };
}

function whyNotListening(error: NodeJS.ErrnoException, host: string, port: number): AgentopsdError {
  const inUse = error.code === 'EADDRINUSE';
  const why = inUse ? 'is in use' : `can't be listened on (${error.code ?? error.message})`;
  return new AgentopsdError(inUse ? 'address_in_use' : 'usage', `${host}:${port} ${why}`, {
    hint: 'end what listens there, or choose another port with --addr 127.0.0.1:PORT (0 takes a free one)',
    cause: error,
  });
}

/** Streams have been told to end. Idle connections go at once, busy ones as they become idle, the rest after a moment. */
function closeServer(server: Server, connections: Connections, { clock }: HttpDependencies): Promise<void> {
  if (!server.listening) return Promise.resolve();
  return new Promise((resolve) => {
    const endsAtMs = clock.monotonicMs() + CLOSE_GRACE_MS;
    let cancel = (): void => {};
    const step = (): void => {
      if (clock.monotonicMs() >= endsAtMs) server.closeAllConnections();
      else connections.closeUnused();
      cancel = clock.after(CLOSE_STEP_MS, step);
    };
    server.close(() => {
      cancel();
      resolve();
    });
    step();
  });
}

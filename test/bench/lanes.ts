/**
 * Load over raw sockets: as many lanes as are asked for, each a kept-alive connection with one request under way. An
 * HTTP client of Node's own would take as much of the processor as the server that is measured.
 */
import { connect, type Socket } from 'node:net';

export interface LaneLoad {
  readonly port: number;
  readonly token: string;
  readonly lanes: number;
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** Body of the n-th request, from 0; undefined: none. */
  readonly body?: (at: number) => string;
  /** Ends after so many seconds, or so many requests. */
  readonly seconds?: number;
  readonly requests?: number;
  /** Between an answer and the lane's next request. */
  readonly pauseMs?: number;
}

export interface LaneFigures {
  readonly answers: number;
  readonly seconds: number;
  /** Milliseconds from each request to the end of its answer. */
  readonly latenciesMs: readonly number[];
  readonly statuses: Readonly<Record<string, number>>;
}

const HEAD_END = Buffer.from('\r\n\r\n');

/** @throws Error when a connection breaks */
export async function runLanes(load: LaneLoad, onAnswer?: (at: number, answer: Buffer) => void): Promise<LaneFigures> {
  const begun = performance.now();
  const endsAt = begun + (load.seconds ?? Number.POSITIVE_INFINITY) * 1000;
  const latenciesMs: number[] = [];
  const statuses: Record<string, number> = {};
  let next = 0;
  const isOver = (): boolean => next >= (load.requests ?? Number.POSITIVE_INFINITY) || performance.now() >= endsAt;
  const lanes = Array.from({ length: load.lanes }, async () => {
    const lane = await Lane.open(load);
    while (!isOver()) {
      const at = next++;
      const sentAt = performance.now();
      const { status, body } = await lane.ask(load.body?.(at));
      latenciesMs.push(performance.now() - sentAt);
      statuses[status] = (statuses[status] ?? 0) + 1;
      onAnswer?.(at, body);
      if (load.pauseMs !== undefined) await new Promise((resume) => setTimeout(resume, load.pauseMs));
    }
    lane.close();
  });
  await Promise.all(lanes);
  return { answers: latenciesMs.length, seconds: (performance.now() - begun) / 1000, latenciesMs, statuses };
}

class Lane {
  readonly #socket: Socket;
  readonly #head: string;
  #pieces: Buffer[] = [];
  #wantBytes: number | undefined;
  #bodyAt = 0;
  #settle: { resolve: (answer: { status: string; body: Buffer }) => void; reject: (error: Error) => void } | undefined;

  static async open(load: LaneLoad): Promise<Lane> {
    const socket = connect({ port: load.port, host: '127.0.0.1', noDelay: true });
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return new Lane(socket, load);
  }

  constructor(socket: Socket, { port, token, method, path }: LaneLoad) {
    this.#socket = socket;
    this.#head = `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nX-AgentOps-Daemon-Token: ${token}\r\n`;
    socket.on('data', (piece) => this.#take(piece));
    socket.on('error', (error) => this.#settle?.reject(error));
    socket.on('close', () => this.#settle?.reject(new Error('the server closed the connection')));
  }

  ask(body: string | undefined): Promise<{ status: string; body: Buffer }> {
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
      const rest =
        body === undefined
          ? '\r\n'
          : `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
      this.#socket.write(this.#head + rest);
    });
  }

  close(): void {
    this.#settle = undefined;
    this.#socket.destroy();
  }

  #take(piece: Buffer): void {
    this.#pieces.push(piece);
    const whole = this.#pieces.length === 1 || this.#wantBytes === undefined ? Buffer.concat(this.#pieces) : undefined;
    if (this.#wantBytes === undefined && whole !== undefined && !this.#readHead(whole)) return;
    const size = this.#pieces.reduce((sum, { length }) => sum + length, 0);
    if (this.#wantBytes === undefined || size < this.#wantBytes) return;
    const answer = whole ?? Buffer.concat(this.#pieces);
    const settle = this.#settle;
    const body = answer.subarray(this.#bodyAt);
    this.#pieces = [];
    this.#wantBytes = undefined;
    settle?.resolve({ status: answer.toString('latin1', 9, 12), body });
  }

  /** A length, or chunks that end with an empty one. */
  #readHead(whole: Buffer): boolean {
    const end = whole.indexOf(HEAD_END);
    if (end === -1) return false;
    this.#bodyAt = end + HEAD_END.length;
    const head = whole.toString('latin1', 0, end);
    const length = /content-length: (\d+)/i.exec(head)?.[1];
    if (length !== undefined) {
      this.#wantBytes = this.#bodyAt + Number(length);
      return true;
    }
    if (whole.subarray(-5).toString('latin1') !== '0\r\n\r\n') return false;
    this.#wantBytes = whole.length;
    return true;
  }
}

/** beanstalkd with its log on the disk, synced at every job (`-f0`), over its own protocol. */
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { answering } from './ground.js';
import type { Peer } from './peer.js';

export const beanstalkd: Peer = {
  name: 'beanstalkd -f0',
  async open(ground) {
    const root = await ground.debs(['beanstalkd']);
    const [data, port] = [join(ground.folder, 'data'), await ground.freePort()];
    await mkdir(data);
    await ground.serve(join(root, 'usr/bin/beanstalkd'), ['-l', '127.0.0.1', '-p', String(port), '-b', data, '-f0']);
    const version = await answering(async () => {
      const line = await Line.open(port);
      const told = await line.ask('stats\r\n');
      line.close();
      return /version: "?([^"\n]+)/.exec(told)?.[1] ?? '?';
    });
    return {
      version,
      async lane() {
        const line = await Line.open(port);
        return async (id) => {
          const text = String(id);
          await line.ask(`put 0 0 60 ${text.length}\r\n${text}\r\n`);
        };
      },
      async work(lanes, onJob) {
        const lines = await Promise.all(Array.from({ length: lanes }, () => Line.open(port)));
        const loops = lines.map(async (line) => {
          for (;;) {
            const told = await line.ask('reserve\r\n').catch(() => undefined);
            const [, name, text] = /^RESERVED (\d+) \d+\r\n(\d+)/.exec(told ?? '') ?? [];
            if (name === undefined) return;
            onJob(Number(text));
            await line.ask(`delete ${name}\r\n`).catch(() => undefined);
          }
        });
        return async () => {
          for (const line of lines) line.close();
          await Promise.all(loops);
        };
      },
      close: async () => {},
    };
  },
};

/** A connection with one question at a time. */
class Line {
  readonly #socket: Socket;
  #told = '';
  #settle: { resolve: (told: string) => void; reject: (error: Error) => void } | undefined;

  static async open(port: number): Promise<Line> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    return new Line(socket);
  }

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (piece) => this.#take(piece.toString('latin1')));
    socket.on('close', () => this.#settle?.reject(new Error('the connection was closed')));
    socket.on('error', () => {});
  }

  ask(text: string): Promise<string> {
    return new Promise((resolve, reject) => {
      if (this.#socket.destroyed) return reject(new Error('the connection is closed'));
      this.#settle = { resolve, reject };
      this.#socket.write(text);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  /** An answer of one line; `RESERVED` and `OK` have a body of as many bytes as they say. */
  #take(piece: string): void {
    this.#told += piece;
    const end = this.#told.indexOf('\r\n');
    if (end === -1) return;
    const bytes = /^(?:RESERVED \d+|OK) (\d+)\r\n/.exec(this.#told)?.[1];
    if (bytes !== undefined && this.#told.length < end + 2 + Number(bytes) + 2) return;
    const told = this.#told;
    this.#told = '';
    this.#settle?.resolve(told);
  }
}

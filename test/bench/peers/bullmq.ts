/** BullMQ on a Redis that syncs its log at every write (`appendfsync always`). */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { answering } from './ground.js';
import type { Peer } from './peer.js';

interface Queue {
  add(name: string, data: object, options: object): Promise<unknown>;
  waitUntilReady(): Promise<unknown>;
  close(): Promise<void>;
}
interface Worker {
  waitUntilReady(): Promise<unknown>;
  close(): Promise<void>;
  on(event: 'error', listener: () => void): void;
}
interface Connection {
  disconnect(): void;
  on(event: 'error', listener: () => void): void;
}
interface BullMq {
  readonly Queue: new (name: string, options: object) => Queue;
  readonly Worker: new (
    name: string,
    handle: (job: { data: { id: number } }) => Promise<void>,
    options: object,
  ) => Worker;
}

const QUEUE = 'jobs';

export const bullmq: Peer = {
  name: 'BullMQ, Redis appendfsync always',
  async open(ground) {
    const load = await ground.packages(['bullmq', 'ioredis']);
    const root = await ground.debs(['redis-server', 'redis-tools', 'libjemalloc2', 'liblzf1']);
    const { Queue, Worker } = (await load('bullmq')) as BullMq;
    const [data, port] = [join(ground.folder, 'data'), await ground.freePort()];
    await mkdir(data);
    const settings = ['--bind', '127.0.0.1', '--port', port, '--dir', data, '--save', '', '--appendonly', 'yes'];
    await ground.serve(join(root, 'usr/bin/redis-server'), [...settings, '--appendfsync', 'always'].map(String), {
      libraries: root,
    });
    const { Redis } = (await load('ioredis')) as { Redis: new (port: number, host: string, how: object) => Connection };
    const connections: Connection[] = [];
    const connect = (): Connection => {
      const connection = new Redis(port, '127.0.0.1', { maxRetriesPerRequest: null });
      connection.on('error', () => {});
      connections.push(connection);
      return connection;
    };
    const queue = new Queue(QUEUE, { connection: connect() });
    await answering(() => queue.waitUntilReady());
    return {
      version: await ground.versionOf('bullmq'),
      lane: async () => async (id) => {
        await queue.add('job', { id }, { removeOnComplete: true });
      },
      async work(lanes, onJob) {
        const worker = new Worker(QUEUE, async ({ data: { id } }) => onJob(id), {
          connection: connect(),
          concurrency: lanes,
        });
        worker.on('error', () => {});
        await worker.waitUntilReady();
        return () => worker.close();
      },
      async close() {
        await queue.close();
        for (const connection of connections) connection.disconnect();
      },
    };
  },
};

/** plainjob on SQLite, its write-ahead log synced at every commit (`synchronous = FULL`). */
import { join } from 'node:path';
import type { Peer } from './peer.js';

interface Database {
  pragma(text: string): unknown;
  close(): void;
}
interface Queue {
  add(type: string, data: object): unknown;
  close(): void;
}
interface Worker {
  start(): Promise<void>;
  stop(): Promise<void>;
}
interface PlainJob {
  better(database: Database): unknown;
  defineQueue(options: object): Queue;
  defineWorker(type: string, handle: (job: { data: string }) => Promise<void>, options: object): Worker;
}

const TYPE = 'job';
const POLL_MS = 10;
const quiet = { debug() {}, info() {}, warn() {}, error() {} };

export const plainjob: Peer = {
  name: 'plainjob, SQLite synchronous FULL',
  async open(ground) {
    const load = await ground.packages(['plainjob', 'better-sqlite3@12']);
    const { default: Sqlite } = (await load('better-sqlite3')) as { default: new (path: string) => Database };
    const { better, defineQueue, defineWorker } = (await load('plainjob')) as PlainJob;
    const database = new Sqlite(join(ground.folder, 'jobs.db'));
    const queue = defineQueue({ connection: better(database), logger: quiet });
    // The queue sets NORMAL, under which a loss of power may take acknowledged jobs.
    database.pragma('synchronous = FULL');
    return {
      version: await ground.versionOf('plainjob'),
      lane: async () => async (id) => {
        queue.add(TYPE, { id });
        // It answers at once: the other lanes get their turn.
        await new Promise<void>((resume) => setImmediate(resume));
      },
      async work(lanes, onJob) {
        const handle = async ({ data }: { data: string }): Promise<void> =>
          onJob((JSON.parse(data) as { id: number }).id);
        const options = { queue, pollIntervall: POLL_MS, logger: quiet };
        const workers = Array.from({ length: lanes }, () => defineWorker(TYPE, handle, options));
        const runs = workers.map((worker) => worker.start());
        return async () => {
          await Promise.all(workers.map((worker) => worker.stop()));
          await Promise.all(runs);
        };
      },
      close: async () => queue.close(),
    };
  },
};

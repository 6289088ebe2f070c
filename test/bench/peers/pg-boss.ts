/** pg-boss on a PostgreSQL of its own with `fsync` and `synchronous_commit` on, as they are by default. */
import { join } from 'node:path';
import { answering, type Ground } from './ground.js';
import type { Peer } from './peer.js';

interface Boss {
  start(): Promise<unknown>;
  createQueue(name: string): Promise<void>;
  send(name: string, data: object): Promise<unknown>;
  fetch(name: string): Promise<readonly { id: string; data: { id: number } }[] | null>;
  complete(name: string, id: string): Promise<unknown>;
  work(
    name: string,
    options: object,
    handle: (jobs: readonly { data: { id: number } }[]) => Promise<void>,
  ): Promise<string>;
  offWork(name: string): Promise<unknown>;
  stop(options: object): Promise<void>;
  on(event: 'error', listener: () => void): void;
}

const QUEUE = 'jobs';
/** PostgreSQL refuses to run as root. */
const NOBODY = 65_534;
/** The shortest that it takes. */
const POLLING_SECONDS = 0.5;

export const pgBoss: Peer = {
  name: 'pg-boss, PostgreSQL',
  async open(ground) {
    const load = await ground.packages(['pg-boss@10']);
    const root = await ground.debs(['postgresql-15', 'postgresql-client-15', 'libpq5']);
    const uid = process.getuid?.() === 0 ? { uid: NOBODY } : {};
    const programs = join(root, 'usr/lib/postgresql/15/bin');
    const [data, port] = [join(ground.folder, 'data'), await ground.freePort()];
    if (uid.uid !== undefined) await (ground as Ground).give(data, NOBODY);
    const share = join(root, 'usr/share/postgresql/15');
    const how = { ...uid, libraries: root };
    await ground.run(
      join(programs, 'initdb'),
      ['-D', data, '-U', 'bench', '-A', 'trust', '-L', share, '-E', 'UTF8'],
      how,
    );
    const settings = ['-D', data, '-h', '127.0.0.1', '-p', String(port), '-k', data, '-c', 'max_connections=100'];
    await ground.serve(join(programs, 'postgres'), settings, how);
    const { default: PgBoss } = (await load('pg-boss')) as { default: new (options: object) => Boss };
    const open = async (): Promise<Boss> => {
      const made = new PgBoss({ host: '127.0.0.1', port, user: 'bench', database: 'postgres', max: 32 });
      made.on('error', () => {});
      await made.start();
      return made;
    };
    const boss = await answering(open);
    await boss.createQueue(QUEUE);
    let isFirst = true;
    return {
      version: await ground.versionOf('pg-boss'),
      lane: async () => async (id) => {
        await boss.send(QUEUE, { id });
      },
      // Many jobs that wait: each lane fetches the next by itself. An idle queue: its own workers, which poll.
      async work(lanes, onJob) {
        if (isFirst) {
          isFirst = false;
          return fetching(boss, lanes, onJob);
        }
        const options = { pollingIntervalSeconds: POLLING_SECONDS };
        for (let lane = 0; lane < lanes; lane++)
          await boss.work(QUEUE, options, async (jobs) => jobs.forEach((job) => onJob(job.data.id)));
        return async () => void (await boss.offWork(QUEUE));
      },
      close: () => boss.stop({ graceful: false }),
    };
  },
};

function fetching(boss: Boss, lanes: number, onJob: (id: number) => void): () => Promise<void> {
  let isOver = false;
  const loops = Array.from({ length: lanes }, async () => {
    while (!isOver) {
      for (const job of (await boss.fetch(QUEUE)) ?? []) {
        onJob(job.data.id);
        await boss.complete(QUEUE, job.id);
      }
    }
  });
  return async () => {
    isOver = true;
    await Promise.all(loops);
  };
}

/** A daemon in a process of its own: `argv[2]` is what it is to be, as JSON. It tells its port, and stops when asked to. */
import { startDaemon } from '../../lib/engine/daemon.js';

export interface DaemonOrder {
  readonly root: string;
  readonly state: string;
  readonly workers: number;
  readonly token: string;
  /** Workers that do nothing (`idle-entry.ts`) instead of the real handlers. */
  readonly idleWorkers: boolean;
}

export interface Memory {
  readonly rssBytes: number;
  readonly heapBytes: number;
}

const order = JSON.parse(process.argv[2] as string) as DaemonOrder;
const daemon = await startDaemon({
  root: order.root,
  address: '127.0.0.1:0',
  workers: order.workers,
  environment: { ...process.env, AGENTOPSD_STATE_DIR: order.state, AGENTOPSD_TOKEN: order.token },
  ...(order.idleWorkers ? { workerEntry: new URL('idle-entry.js', import.meta.url) } : {}),
});
process.send?.({ port: daemon.port });
process.on('message', (message: string) => {
  if (message === 'memory') {
    (globalThis as { gc?: () => void }).gc?.();
    const { rss, heapUsed } = process.memoryUsage();
    process.send?.({ rssBytes: rss, heapBytes: heapUsed } satisfies Memory);
  } else void daemon.stop().then(() => process.exit());
});
process.on('disconnect', () => process.exit(1));

/** This daemon on the same work: over HTTP, as its callers have it, with jobs that do nothing in worker threads. */
import { inRoom } from '../room.js';
import { acceptsAlone, drained, pickUpWaits } from '../rows/jobs.js';
import { median, percentile } from '../statistics.js';
import { type PeerFigures, PICK_UPS } from './peer.js';

const DRAINED_JOBS = 20_000;

export async function ownDaemon(seconds: number): Promise<{ version: string; figures: PeerFigures }> {
  const rates = await inRoom((room) => acceptsAlone(room, [1, 64], seconds));
  const jobsPerSecond16 = await inRoom((room) => drained(room, DRAINED_JOBS));
  const waits = await inRoom((room) => pickUpWaits(room, PICK_UPS));
  return {
    version: '',
    figures: {
      enqueuePerSecond1: rates[0] as number,
      enqueuePerSecond64: rates[1] as number,
      jobsPerSecond16,
      pickUpP50Ms: median(waits),
      pickUpP99Ms: percentile(waits, 0.99),
    },
  };
}

/** The folder of an attempt that needs one before its thread begins. */
import { AgentopsdError } from '../base/errors.js';
import type { Job } from '../model/job.js';
import type { AttemptSeams } from './attempt-seams.js';
import { prepareRunFolder } from './run-folder.js';

/** How long a disk without room for the run's folder is waited for, and how often it is tried. */
const ROOM_DEADLINE_MS = 60_000;
const ROOM_AGAIN_MS = 500;

type FolderSeams = Pick<AttemptSeams, 'root' | 'clock' | 'makeRunFolder'>;

/**
 * Makes it. On a full disk it waits for room: the lease lives meanwhile.
 * @returns why it can't be made whatever happens
 * @throws what is still in the way after `ROOM_DEADLINE_MS`, or once the attempt is to stop
 */
export async function makeFolderOf(
  job: Job,
  { root, clock, makeRunFolder = prepareRunFolder }: FolderSeams,
  isStopping: () => boolean,
): Promise<AgentopsdError | undefined> {
  const until = clock.monotonicMs() + ROOM_DEADLINE_MS;
  for (;;) {
    try {
      await makeRunFolder(root, job.job_id, job.attempt);
      return undefined;
    } catch (error) {
      if (error instanceof AgentopsdError) return error;
      if (isStopping() || clock.monotonicMs() >= until) throw error;
    }
    await new Promise<void>((resolve) => clock.after(ROOM_AGAIN_MS, resolve));
  }
}

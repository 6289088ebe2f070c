/** `run --adopt`: takes over every job that was accepted elsewhere and has not ended. */
import { type Clock, timestamp } from '../base/clock.js';
import type { Kernel } from './kernel.js';

/** @returns how many jobs there were */
export async function adoptAll(kernel: Kernel, clock: Clock): Promise<number> {
  const jobIds = [...kernel.state.foreign()];
  await Promise.all(
    jobIds.map((job_id) =>
      kernel.execute({ kind: 'adopt', job_id, actor: 'cli', occurredAt: timestamp(clock.wallMs()) }),
    ),
  );
  return jobIds.length;
}

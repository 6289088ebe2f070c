/**
 * Keeps `.agents/runs` under `limits.runs_bytes`: over it the jobs that ended first lose their folder. The ledger keeps
 * what happened; a folder that belongs to no job of the ledger is nobody's to remove.
 */
import { lstat, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../base/clock.js';
import { fileNameOf } from '../base/file-name.js';
import type { Logger } from '../base/log.js';
import { isTerminal, type Job } from '../model/job.js';
import type { State } from '../model/state.js';
import { runsFolder } from './run-folder.js';

const LOOK_INTERVAL_MS = 60_000;
/** So that not every job that ends takes one away. */
const KEPT_PART = 0.9;

export interface RunRetentionOptions {
  readonly root: string;
  readonly state: State;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly runsBytes: () => number;
  readonly isHeldHere: (jobId: string) => boolean;
}

interface Run {
  readonly job: Job;
  readonly folder: string;
  readonly bytes: number;
}

export class RunRetention {
  readonly #options: RunRetentionOptions;
  #cancelTimer: (() => void) | undefined;
  #looking: Promise<void> | undefined;
  #running = false;
  /** The ledger's end at the last look: without a new event no run has ended, and none has become larger for long. */
  #lookedAtSeq = -1;

  constructor(options: RunRetentionOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running = true;
    this.#look(0);
  }

  async stop(): Promise<void> {
    this.#running = false;
    this.#cancelTimer?.();
    await this.#looking;
  }

  /** @returns the ids of the jobs whose folders went */
  async runOnce(): Promise<string[]> {
    const { runs, totalBytes } = await this.#measure();
    const limitBytes = this.#options.runsBytes();
    if (totalBytes <= limitBytes) return [];
    runs.sort((one, other) => one.job.last_seq - other.job.last_seq);
    const gone: string[] = [];
    let leftBytes = totalBytes;
    for (const { job, folder, bytes } of runs) {
      if (leftBytes <= limitBytes * KEPT_PART) break;
      await rm(folder, { recursive: true, force: true });
      leftBytes -= bytes;
      gone.push(job.job_id);
    }
    this.#options.logger(
      'info',
      `.agents/runs held ${totalBytes} bytes, over limits.runs_bytes: ${gone.length} finished jobs lost their folder`,
    );
    return gone;
  }

  async #runIfChanged(): Promise<void> {
    const { lastSeq } = this.#options.state;
    if (lastSeq === this.#lookedAtSeq) return;
    this.#lookedAtSeq = lastSeq;
    await this.runOnce();
  }

  #look(delayMs: number): void {
    this.#cancelTimer = this.#options.clock.after(delayMs, () => {
      this.#looking = this.#runIfChanged()
        .catch((error: unknown) =>
          this.#options.logger('warn', `.agents/runs: ${error instanceof Error ? error.message : String(error)}`),
        )
        .then(() => {
          this.#looking = undefined;
          if (this.#running) this.#look(LOOK_INTERVAL_MS);
        });
    });
  }

  /** The runs that may go, and what all of them take. */
  async #measure(): Promise<{ runs: Run[]; totalBytes: number }> {
    const { root, state, isHeldHere } = this.#options;
    const names = new Set(await namesIn(runsFolder(root)));
    const runs: Run[] = [];
    let totalBytes = 0;
    for (const job of state.jobs()) {
      const name = fileNameOf(job.job_id);
      if (names.size === 0) break;
      if (!names.delete(name)) continue;
      const folder = join(runsFolder(root), name);
      const bytes = await bytesBelow(folder);
      totalBytes += bytes;
      if (isTerminal(job) && !isHeldHere(job.job_id)) runs.push({ job, folder, bytes });
    }
    return { runs, totalBytes };
  }
}

async function bytesBelow(path: string): Promise<number> {
  const facts = await lstat(path).catch(() => undefined);
  if (facts === undefined) return 0;
  if (!facts.isDirectory()) return facts.size;
  let bytes = 0;
  for (const name of await namesIn(path)) bytes += await bytesBelow(join(path, name));
  return bytes;
}

async function namesIn(folder: string): Promise<string[]> {
  const facts = await lstat(folder).catch(() => undefined);
  return facts?.isDirectory() ? readdir(folder) : [];
}

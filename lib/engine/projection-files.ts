/**
 * `.agents/daemon/projections/<name>.json`: the read models as files, for people and tools that read without the
 * daemon. Derived and rebuildable: written anew at the start and some time after a change, several changes at once,
 * never before an answer. Nothing reads them back, so what else is put into one harms nobody until it is written anew.
 *
 *     {schema_version, projection, source_ledger, last_event_id?, status, rebuilt_at, jobs: [...]}
 *
 * `last_event_id` is the event that the file stands at. The jobs of a file are taken at one moment and written piece by
 * piece: a million of them are longer than a string may be.
 */
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import type { Clock } from '../base/clock.js';
import type { Logger } from '../base/log.js';
import { type Random, randomHex } from '../base/random.js';
import { type ProjectionName, projectionNames } from '../model/event.js';
import type { Job } from '../model/job.js';
import { jobView, manifestsView, queueJobView, type ViewContext } from '../model/views.js';
import type { Kernel } from './kernel.js';
import { makeFoldersInside } from './run-folder.js';

const FOLDER = ['.agents', 'daemon', 'projections'];
/** From a change to the files. */
const SETTLE_MS = 500;
/** Writing takes at most this part of the time, however long the lists grow. */
const IDLE_PER_WRITE = 50;
/** At a stop nobody waits longer than this for files that are written anew at the next start. */
const STOP_WRITE_MS = 1000;
/** So many jobs are looked at before everybody else has a turn: together they take about half a millisecond. */
const JOBS_PER_TURN = 50;
const PIECE_CHARACTERS = 262_144;
const PERMISSIONS = 0o644;

export interface ProjectionFilesOptions {
  readonly root: string;
  readonly kernel: Kernel;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

export class ProjectionFiles {
  readonly #options: ProjectionFilesOptions;
  #cancelTimer: (() => void) | undefined;
  #writing: Promise<void> | undefined;
  #changed = false;
  #running = false;
  #pauseMs = SETTLE_MS;
  #problem: string | undefined;

  constructor(options: ProjectionFilesOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running = true;
    this.onChange();
  }

  /** To be called after each batch: cheap. */
  onChange(): void {
    this.#changed = true;
    if (!this.#running || this.#cancelTimer !== undefined || this.#writing !== undefined) return;
    this.#cancelTimer = this.#options.clock.after(this.#pauseMs, () => {
      this.#cancelTimer = undefined;
      this.#write();
    });
  }

  /** Idempotent. Writes once more if something changed and it is quickly done: the next start writes them anyway. */
  async stop(): Promise<void> {
    if (!this.#running) return;
    this.#running = false;
    this.#cancelTimer?.();
    await this.#writing;
    if (this.#changed && this.#pauseMs <= STOP_WRITE_MS * IDLE_PER_WRITE) await this.#writeTimed();
  }

  /** Why the files could not be written the last time, if so. */
  problems(): readonly string[] {
    return this.#problem === undefined ? [] : [this.#problem];
  }

  /** Writes all six. @throws what the disk says */
  async runOnce(): Promise<void> {
    this.#changed = false;
    const { kernel, root } = this.#options;
    const folder = await makeFoldersInside(root, FOLDER);
    const context = kernel.viewContext();
    const manifests = manifestsView(kernel.state, context);
    const jobs = kernel.state.jobsNow();
    for (const name of projectionNames) {
      const { output_paths: _, ...head } = manifests[name];
      await this.#replace(join(folder, `${name}.json`), head, pick(name, jobs), viewFor(name, context));
    }
  }

  #write(): void {
    this.#writing = this.#writeTimed().then(() => {
      this.#writing = undefined;
      if (this.#changed) this.onChange();
    });
  }

  async #writeTimed(): Promise<void> {
    const { clock, kernel, logger, root } = this.#options;
    const begun = clock.monotonicMs();
    try {
      await this.runOnce();
      this.#problem = undefined;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.#problem = `the files in ${FOLDER.join('/')} can't be written: ${why.replaceAll(`${root}/`, '')}`;
      logger('warn', this.#problem);
    }
    kernel.tellProjectionFailure(this.#problem);
    this.#pauseMs = Math.max(SETTLE_MS, (clock.monotonicMs() - begun) * IDLE_PER_WRITE);
  }

  async #replace(
    path: string,
    head: object,
    jobs: Iterable<Job | undefined>,
    view: (job: Job) => object,
  ): Promise<void> {
    const temporary = `${path}.${randomHex(this.#options.random, 6)}.tmp`;
    const file = await open(temporary, 'wx', PERMISSIONS);
    try {
      await writePieces(file, head, jobs, view);
    } catch (error) {
      await file.close();
      await rm(temporary, { force: true });
      throw error;
    }
    await file.close();
    await rename(temporary, path);
  }
}

async function writePieces(
  file: FileHandle,
  head: object,
  jobs: Iterable<Job | undefined>,
  view: (job: Job) => object,
): Promise<void> {
  await file.write(`${JSON.stringify(head).slice(0, -1)},"jobs":[\n`);
  let separator = '';
  let seen = 0;
  let piece = '';
  for (const job of jobs) {
    if (job !== undefined) {
      piece += separator + JSON.stringify(view(job));
      separator = ',\n';
    }
    if (++seen % JOBS_PER_TURN !== 0) continue;
    if (piece.length >= PIECE_CHARACTERS) {
      await file.write(piece);
      piece = '';
    }
    await turn();
  }
  await file.write(`${piece}\n]}\n`);
}

/** The jobs of one file, and undefined for each that is not of it: looking at a job takes its time too. */
function* pick(name: ProjectionName, jobs: Iterable<Job>): Generator<Job | undefined> {
  for (const job of jobs) yield job.projection_targets.includes(name) ? job : undefined;
}

function viewFor(name: ProjectionName, context: ViewContext): (job: Job) => object {
  return name === 'daemon-job-status' ? (job) => queueJobView(job, context) : (job) => jobView(job, context);
}

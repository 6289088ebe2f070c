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
import { basename, dirname, join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import type { Clock } from '../base/clock.js';
import type { Logger } from '../base/log.js';
import { type Random, randomHex } from '../base/random.js';
import { type ProjectionName, projectionNames } from '../model/event.js';
import type { Job } from '../model/job.js';
import { jobView, queueJobView } from '../model/job-views.js';
import type { ViewContext } from '../model/view-context.js';
import { manifestsView } from '../model/views.js';
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
/** Of fewer jobs the files themselves take the most time. */
const FEW_JOBS = 1_000;
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
  /** The last writing: when it ended, what it took, and of how many jobs. */
  #last = { endedMs: Number.NEGATIVE_INFINITY, tookMs: 0, jobs: 0 };
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
    this.#wait(SETTLE_MS);
  }

  /** Looks again where the lists have grown meanwhile: a writing takes its part of the time however fast they grow. */
  #wait(delayMs: number): void {
    const { clock } = this.#options;
    this.#cancelTimer = clock.after(delayMs, () => {
      this.#cancelTimer = undefined;
      const earlyMs = this.#last.endedMs + this.#takesMs() * IDLE_PER_WRITE - clock.monotonicMs();
      if (earlyMs > 0) this.#wait(Math.max(earlyMs, SETTLE_MS));
      else this.#write();
    });
  }

  /** What the next writing will take, by the last one and how much longer the lists are now. */
  #takesMs(): number {
    const { tookMs, jobs } = this.#last;
    return tookMs * Math.max(1, this.#options.kernel.state.jobCount / Math.max(jobs, FEW_JOBS));
  }

  /** Idempotent. Writes once more if something changed and it is quickly done: the next start writes them anyway. */
  async stop(): Promise<void> {
    if (!this.#running) return;
    this.#running = false;
    this.#cancelTimer?.();
    await this.#writing;
    if (this.#changed && this.#takesMs() <= STOP_WRITE_MS) await this.#writeTimed();
  }

  /** Why the files could not be written the last time, if so. */
  problems(): readonly string[] {
    return this.#problem === undefined ? [] : [this.#problem];
  }

  /** Writes all six. @throws what the disk says */
  async runOnce(): Promise<void> {
    this.#changed = false;
    const { kernel, root, random } = this.#options;
    const folder = await makeFoldersInside(root, FOLDER);
    const context = kernel.viewContext();
    const manifests = manifestsView(kernel.state, context);
    const jobs = kernel.state.jobsNow();
    const files: ProjectionFile[] = [];
    try {
      for (const name of projectionNames) {
        const { output_paths: _, ...head } = manifests[name];
        files.push(await ProjectionFile.begin(join(folder, `${name}.json`), name, head, randomHex(random, 6)));
      }
      await writeJobs(files, jobs, context);
      for (const file of files) await file.finish();
    } finally {
      for (const file of files) await file.discard();
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
    const [begunMs, jobs] = [clock.monotonicMs(), kernel.state.jobCount];
    try {
      await this.runOnce();
      this.#problem = undefined;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.#problem = `the files in ${FOLDER.join('/')} can't be written: ${why.replaceAll(`${root}/`, '')}`;
      logger('warn', this.#problem);
    }
    kernel.tellProjectionFailure(this.#problem);
    const endedMs = clock.monotonicMs();
    this.#last = { endedMs, tookMs: endedMs - begunMs, jobs };
  }
}

/** A job is looked at once, for all files: an ended one is made anew at each look. */
async function writeJobs(files: readonly ProjectionFile[], jobs: Iterable<Job>, context: ViewContext): Promise<void> {
  let seen = 0;
  for (const job of jobs) {
    let usual: string | undefined;
    for (const file of files) {
      if (!job.projection_targets.includes(file.name)) continue;
      if (file.name === 'daemon-job-status') file.add(JSON.stringify(queueJobView(job, context)));
      else {
        usual ??= JSON.stringify(jobView(job, context));
        file.add(usual);
      }
    }
    if (++seen % JOBS_PER_TURN !== 0) continue;
    for (const file of files) await file.flush(PIECE_CHARACTERS);
    await turn();
  }
}

/** One file while it is written, under a temporary name until it is whole. */
class ProjectionFile {
  readonly name: ProjectionName;
  readonly #path: string;
  readonly #temporary: string;
  readonly #file: FileHandle;
  #piece: string;
  #separator = '';
  #renamed = false;

  static async begin(path: string, name: ProjectionName, head: object, part: string): Promise<ProjectionFile> {
    // A name that whoever lists the folder passes by, and that the next start finds when this one is killed.
    const temporary = join(dirname(path), `.${basename(path)}.${part}.tmp`);
    return new ProjectionFile(path, name, temporary, await open(temporary, 'wx', PERMISSIONS), head);
  }

  private constructor(path: string, name: ProjectionName, temporary: string, file: FileHandle, head: object) {
    this.name = name;
    this.#path = path;
    this.#temporary = temporary;
    this.#file = file;
    this.#piece = `${JSON.stringify(head).slice(0, -1)},"jobs":[\n`;
  }

  add(text: string): void {
    this.#piece += this.#separator + text;
    this.#separator = ',\n';
  }

  /** Writes what was added, when it is at least so much. */
  async flush(characters: number): Promise<void> {
    if (this.#piece.length < characters) return;
    const piece = this.#piece;
    this.#piece = '';
    await this.#file.write(piece);
  }

  async finish(): Promise<void> {
    this.#piece += '\n]}\n';
    await this.flush(0);
    await this.#file.close();
    await rename(this.#temporary, this.#path);
    this.#renamed = true;
  }

  /** Leaves nothing behind, unless it was finished. Idempotent. */
  async discard(): Promise<void> {
    if (this.#renamed) return;
    await this.#file.close();
    await rm(this.#temporary, { force: true });
  }
}

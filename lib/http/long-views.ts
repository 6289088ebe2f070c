/**
 * Status and the consumer's lists for any number of jobs: the same members as the model's views, but each job becomes
 * text only when its turn to be sent has come. All jobs are taken at one moment, so what happens while the answer is
 * under way doesn't show in it: a job that has not ended is held as it is, and one that has ended never changes, so its
 * id is enough and the state may keep it in whatever form it likes.
 */
import { invariant } from '../base/errors.js';
import { limits } from '../base/limits.js';
import { belongs, consumerResource, type ResourceKind, snapshotFrame } from '../model/consumer-views.js';
import { type JobType, jobTypes } from '../model/event.js';
import { isTerminal, type Job } from '../model/job.js';
import { jobView, queueJobView } from '../model/job-views.js';
import type { State } from '../model/state.js';
import { beginsWith, type JobSelection, selectedJobs, statusFrame, statusLists } from '../model/status-view.js';
import type { ViewContext } from '../model/view-context.js';
import { TextList } from './json-text.js';

/** What `jsonTexts` makes the text of the view from. */
export type LongView = (state: State, context: ViewContext) => unknown;

export function longStatus(selection: JobSelection): LongView {
  return (state, now) => {
    const context = standingStill(now);
    const jobs = new TakenJobs(state, selectedJobs(state.jobsNow(), context, selection));
    const viewText = keptTexts((taken) => JSON.stringify(jobView(jobs.jobOf(taken), context)));
    const lists = statusLists(
      jobs.texts(
        () => true,
        (taken) => JSON.stringify(queueJobView(jobs.jobOf(taken), context)),
      ),
      (...beginnings) => jobs.texts(({ job_type }) => beginsWith(job_type, beginnings), viewText),
    );
    return statusFrame(state, context, lists);
  };
}

export const longSnapshot: LongView = (state, now) => {
  const context = standingStill(now);
  const jobs = new TakenJobs(state, state.jobsNow());
  return snapshotFrame(state, context, (kind) => resourceTexts(jobs, kind, context));
};

/** One of the consumer's lists, under its name. */
export function longResources(name: 'runs' | 'jobs' | 'wiki', kind: ResourceKind): LongView {
  return (state, now) => ({
    [name]: resourceTexts(new TakenJobs(state, state.jobsNow()), kind, standingStill(now)),
  });
}

function resourceTexts(jobs: TakenJobs, kind: ResourceKind, context: ViewContext): TextList {
  return jobs.texts(
    (taken) => belongs(taken, kind),
    (taken) => JSON.stringify(consumerResource(jobs.jobOf(taken), kind, context)),
  );
}

/** A job as it was when the view was begun. */
interface TakenJob {
  readonly job_id: string;
  readonly job_type: JobType;
  /** Missing for one that has ended. */
  readonly live?: Job;
}

/** The jobs of a view. The first list that is made goes through the state; what it took serves the others. */
class TakenJobs {
  readonly #state: State;
  readonly #source: Iterable<Job | undefined>;
  readonly #taken: TakenJob[] = [];
  #isWhole = false;
  #last: Job | undefined;

  constructor(state: State, source: Iterable<Job | undefined>) {
    this.#state = state;
    this.#source = source;
  }

  /** The texts of those that belong to a list. */
  texts(belongsHere: (taken: TakenJob) => boolean, textOf: (taken: TakenJob) => string): TextList {
    const all = (): Iterable<TakenJob | undefined> => (this.#isWhole ? this.#taken : this.#take());
    return new TextList({
      *[Symbol.iterator]() {
        let looks = 0;
        for (const taken of all()) {
          if (++looks % LOOKS_AT_ONCE === 0) yield '';
          if (taken !== undefined && belongsHere(taken)) yield textOf(taken);
        }
      },
    });
  }

  jobOf({ job_id, live }: TakenJob): Job {
    const job = live ?? (this.#last?.job_id === job_id ? this.#last : this.#state.job(job_id));
    invariant(job !== undefined, 'a job never leaves the state');
    return job;
  }

  *#take(): Generator<TakenJob | undefined> {
    this.#taken.length = 0;
    for (const job of this.#source) {
      this.#last = job;
      const taken = job && takenOf(job);
      if (taken !== undefined) this.#taken.push(taken);
      yield taken;
    }
    this.#isWhole = true;
  }
}

/** Looking at a job takes its time too, also where it belongs to no list. */
const LOOKS_AT_ONCE = 1000;

function takenOf(job: Job): TakenJob {
  const { job_id, job_type } = job;
  return isTerminal(job) ? { job_id, job_type } : { job_id, job_type, live: job };
}

/** What is asked of others while a view is made, asked once. */
function standingStill(context: ViewContext): ViewContext {
  const withoutWorker = new Map<JobType, string | undefined>(jobTypes.map((type) => [type, context.noWorkerFor(type)]));
  return { ...context, noWorkerFor: (jobType) => withoutWorker.get(jobType) };
}

/** A job stands in up to four lists: its text is made once, as long as all of them together stay within a bound. */
function keptTexts(make: (taken: TakenJob) => string): (taken: TakenJob) => string {
  const kept = new Map<TakenJob, string>();
  let units = 0;
  return (taken) => {
    const known = kept.get(taken);
    if (known !== undefined) return known;
    const text = make(taken);
    units += text.length;
    if (units <= limits.httpKeptViewBytes) kept.set(taken, text);
    return text;
  };
}

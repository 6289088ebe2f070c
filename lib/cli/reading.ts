/**
 * What a verb that only reads works with: the daemon's answers, or where none runs the same answers made from the files.
 * Which of the two it was is told on standard error.
 */
import { AgentopsdError } from '../base/errors.js';
import type { Client, Event, QueueJob, Ready, Status } from '../client/client.js';
import type { EventQuery } from '../client/events.js';
import { jobDetailView, queueJobView } from '../model/job-views.js';
import { statusView } from '../model/status-view.js';
import { readyView } from '../model/views.js';
import { clientAt, findAddress } from './daemon-address.js';
import type { Invocation } from './invocation.js';
import { type FoldedFiles, foldLedgerFiles, openLedgerFiles } from './ledger-files.js';
import { requireLaidDown } from './place.js';

export interface JobFilter {
  readonly statuses?: readonly string[] | undefined;
  readonly types?: readonly string[] | undefined;
}

export interface Reading {
  readonly via: 'daemon' | 'files';
  /** The daemon that answers. */
  readonly client: Client | undefined;
  ready(): Promise<Ready>;
  status(): Promise<Status>;
  /** @throws AgentopsdError `unknown_job`; the id is the whole one */
  job(jobId: string, signal?: AbortSignal): Promise<QueueJob>;
  jobs(filter?: JobFilter): Promise<QueueJob[]>;
  events(query?: EventQuery): AsyncIterable<Event>;
}

/** A daemon that does not answer for so long counts as not there, for a reader. */
const PROBE_MS = 3_000;

/**
 * @throws AgentopsdError `daemon_unreachable` for a daemon that was named and does not answer, `folder_unusable` where
 * nothing was laid down
 */
export async function openReading(invocation: Invocation): Promise<Reading> {
  const address = await findAddress(invocation);
  if (address !== undefined) {
    const client = await clientAt(invocation, address);
    try {
      await client.health({ signal: AbortSignal.timeout(PROBE_MS) });
      return new DaemonReading(client, invocation);
    } catch (error) {
      const silent = error instanceof DOMException && error.name === 'TimeoutError';
      if (address.named)
        throw silent ? new AgentopsdError('daemon_unreachable', `no daemon answers at ${client.url}`) : error;
    }
  }
  requireLaidDown(invocation.place);
  const why = address === undefined ? 'no daemon runs here' : `the daemon at ${address.url} does not answer`;
  invocation.printer.note(`${invocation.printer.errorColours.dim('·')} ${why}: read from the files`);
  return fileReading(invocation);
}

class DaemonReading implements Reading {
  readonly via = 'daemon';
  readonly #invocation: Invocation;
  #client: Client;

  constructor(client: Client, invocation: Invocation) {
    this.#client = client;
    this.#invocation = invocation;
  }

  get client(): Client {
    return this.#client;
  }

  ready(): Promise<Ready> {
    return this.#client.ready();
  }

  status(): Promise<Status> {
    return this.#client.status();
  }

  async job(jobId: string, signal?: AbortSignal): Promise<QueueJob> {
    try {
      return await this.#client.job(jobId, { signal });
    } catch (error) {
      if (error instanceof AgentopsdError && error.code === 'daemon_unreachable') await this.#lookAgain();
      throw error;
    }
  }

  /** The daemon filters by one word of each; what is left of several is done here. */
  async jobs({ statuses, types }: JobFilter = {}): Promise<QueueJob[]> {
    const { queue } = await this.#client.status({ status: only(statuses), type: only(types) });
    return queue.jobs.filter((job) => matches(job, { statuses, types }));
  }

  events(query?: EventQuery): AsyncIterable<Event> {
    return this.#client.events(query);
  }

  /** A daemon that was started again may listen elsewhere. */
  async #lookAgain(): Promise<void> {
    const address = await findAddress(this.#invocation);
    if (address !== undefined) this.#client = await clientAt(this.#invocation, address);
  }
}

function fileReading({ place, environment }: Invocation): Reading {
  let folded: Promise<FoldedFiles> | undefined;
  const fold = (): Promise<FoldedFiles> => {
    folded ??= foldLedgerFiles(place, environment);
    return folded;
  };
  return {
    via: 'files',
    client: undefined,
    ready: async () => readyView((await fold()).state, (await fold()).context),
    status: async () => statusView((await fold()).state, (await fold()).context),
    async job(jobId) {
      const { state, context } = await fold();
      const job = state.job(jobId);
      if (job === undefined) throw new AgentopsdError('unknown_job', `there is no job ${jobId}`);
      return jobDetailView(job, context);
    },
    async jobs(filter = {}) {
      const { state, context } = await fold();
      return [...state.jobs()].map((job) => queueJobView(job, context)).filter((job) => matches(job, filter));
    },
    async *events(query = {}) {
      const files = await openLedgerFiles(place, environment);
      let passed = query.since === undefined;
      let left = query.limit ?? Number.POSITIVE_INFINITY;
      for await (const { event, segment } of files.events()) {
        if (left <= 0) return;
        if (passed) {
          left -= 1;
          yield { ...event, segment } as Event;
        } else passed = event.event_id === query.since;
      }
      if (!passed) throw new AgentopsdError('unknown_cursor', `there is no event ${query.since}`);
    },
  };
}

function only(words: readonly string[] | undefined): string | undefined {
  return words?.length === 1 ? words[0] : undefined;
}

function matches(job: QueueJob, { statuses, types }: JobFilter): boolean {
  return (statuses?.includes(job.status) ?? true) && (types?.includes(job.job_type) ?? true);
}

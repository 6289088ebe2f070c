/**
 * A run against one target: the checks that share a server one after the other, then those with servers of their own.
 * Verdicts are given at the very end, since a monitor may have something to say against any check at any time.
 */
import { randomBytes } from 'node:crypto';
import type { Check } from '../check.js';
import { Context, defaultJobType } from '../context.js';
import { Findings } from '../findings.js';
import { noTraffic, type Traffic, Watch } from '../monitor/watch.js';
import type { Profile } from '../profile.js';
import { randomFrom } from '../random.js';
import { NoAnswer } from '../target/exchange.js';
import { choosesPort, OwnServer, type ServerOptions } from '../target/own-server.js';
import { NoStart } from '../target/server-process.js';
import { Target } from '../target/target.js';
import { type Outcome, type Verdict, verdictOf } from '../verdict.js';
import { inLanes } from '../waiting.js';
import { runCheck } from './one-check.js';
import { hasOwnServers, reasonToSkip, type Selected } from './selection.js';

export interface RunOptions {
  readonly profile: Profile;
  readonly selected: readonly Selected[];
  readonly seed: string;
  /** Told at each end of a check, in the order of ending; a monitor may still find something against it. */
  readonly progress: (done: Done, verdict: Verdict, count: number) => void;
  /** Ends the run early: servers are ended, jobs cancelled. */
  readonly interrupted: Promise<unknown>;
}

export interface Done {
  readonly selected: Selected;
  readonly outcome: Outcome;
  readonly ms: number;
}

export interface RunResult {
  /** In the order of the catalogue. */
  readonly done: readonly Done[];
  readonly findings: Findings;
  readonly traffic: Traffic;
  readonly prefix: string;
}

/** Nothing answers there. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable';
}

/** Somebody wants it to end. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

/** Checks with servers of their own mostly wait: for starts, for leases. */
const LANES = 2;

/** @throws Unreachable Interrupted */
export async function run(options: RunOptions): Promise<RunResult> {
  const session = new Session(options);
  const interrupted = options.interrupted.then(() => {
    throw new Interrupted('the run was interrupted');
  });
  try {
    await Promise.race([session.open(), interrupted]);
    return await Promise.race([session.work(), interrupted]);
  } finally {
    await session.close();
  }
}

class Session {
  readonly #options: RunOptions;
  readonly #findings = new Findings();
  readonly #traffic = noTraffic();
  readonly #prefix = `jsc-${Date.now().toString(36)}${randomBytes(3).toString('hex')}-`;
  readonly #target: Target;
  readonly #done = new Map<string, Done>();
  #mayOwn: boolean;
  #waitingJobId: string | undefined;
  #isSettled = false;
  #isClosed = false;

  constructor(options: RunOptions) {
    this.#options = options;
    const { start } = options.profile;
    this.#target = start === undefined ? this.#remote() : this.#server({});
    this.#mayOwn = start !== undefined && choosesPort(options.profile, start);
  }

  /** Status and events are read before anything is written: what an empty target says shows only now. */
  async open(): Promise<void> {
    const target = this.#target;
    try {
      if (target instanceof OwnServer) await target.start();
      await target.get('/v1/health');
    } catch (error) {
      if (error instanceof NoStart) throw new Unreachable(`the target does not start: ${error.message}`);
      if (error instanceof NoAnswer) throw new Unreachable(`${target.base} does not answer: ${error.message}`);
      throw error;
    }
    const first = ['/v1/ready', '/v1/status', '/v1/events'];
    const consumer = ['/health', '/snapshot/latest', '/runs', '/jobs', '/wiki'].map(
      (each) => target.consumerBase + each,
    );
    for (const path of [...first, ...consumer, '/v1/events']) await target.get(path).catch(ignoreNoAnswer);
    await this.#submitWaiting().catch(ignoreNoAnswer);
  }

  /** A job that nobody asks for anything: some mistakes show only in what waits for a while. */
  async #submitWaiting(): Promise<void> {
    const isUsed = this.#options.selected.some(({ entry }) => entry.id === 'project.rebuild.oracle');
    if (!this.#target.hasToken || !isUsed) return;
    const { job_type, payload = {} } = this.#options.profile.workload?.idle ?? { job_type: defaultJobType };
    const job_id = `${this.#prefix}waiting`;
    const answer = await this.#target.submit({ request_id: job_id, job_id, job_type, payload });
    if (answer.status === 202) this.#waitingJobId = job_id;
  }

  async work(): Promise<RunResult> {
    const { selected } = this.#options;
    const shared = selected.filter((each) => !hasOwnServers(each));
    // What takes long begins first, so that no lane waits for it at the end.
    const own = selected.filter(hasOwnServers).sort((a, b) => b.check.deadlineMs - a.check.deadlineMs);
    for (const each of shared) await this.#run(each);
    await this.#settle();
    if (!this.#mayOwn && this.#target instanceof OwnServer) await this.#target.stop();
    const lanes = this.#mayOwn ? LANES : 1;
    this.#mayOwn = this.#options.profile.start !== undefined;
    await inLanes(own, lanes, (each) => this.#run(each));
    const done = selected.flatMap(({ entry }) => this.#done.get(entry.id) ?? []);
    return { done, findings: this.#findings, traffic: this.#traffic, prefix: this.#prefix };
  }

  /** A server of its own is ended; to another one nothing is left behind, as far as it answers. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const target = this.#target;
    if (target instanceof OwnServer) await target.dispose();
    else if (target.hasToken && !this.#isSettled) await target.leave().catch(ignoreNoAnswer);
  }

  async #run(selected: Selected): Promise<void> {
    const { profile, progress } = this.#options;
    if (this.#isClosed) return;
    const startedAt = Date.now();
    let outcome = reasonToSkip(selected, profile);
    if (outcome === undefined) {
      outcome = await runCheck(selected.check, this.#contextFor(selected.check), this.#findings);
      if (!hasOwnServers(selected)) await this.#tidy(selected.check);
    }
    if (this.#isClosed) return;
    const done = { selected, outcome, ms: Date.now() - startedAt };
    this.#done.set(selected.entry.id, done);
    const { id, severity } = selected.entry;
    progress(done, verdictOf(severity, this.#findings.of(id), outcome), this.#done.size);
  }

  #contextFor(check: Check): Context {
    return new Context({
      check: check.id,
      profile: this.#options.profile,
      target: this.#target,
      findings: this.#findings,
      random: randomFrom(`${this.#options.seed} ${check.id}`),
      prefix: this.#prefix,
      waitingJobId: this.#waitingJobId,
      makeServer: this.#mayOwn ? async (options) => this.#server(options) : undefined,
    });
  }

  /** What a check left in the queue does not disturb the next one. */
  async #tidy(check: Check): Promise<void> {
    await this.#revive(check);
    if (!this.#target.hasToken) return;
    const kept = this.#waitingJobId === undefined ? [] : [this.#waitingJobId];
    await this.#target.cancelSubmitted(kept).catch(ignoreNoAnswer);
  }

  /** A server that a check brought down is started again for the next one. */
  async #revive(check: Check): Promise<void> {
    const target = this.#target;
    if (!(target instanceof OwnServer) || target.isRunning) return;
    const observed = `it ended. ${target.output.trim().slice(-600)}`;
    this.#findings.add(check.id, { severity: 'MUST', expected: 'the process of the target lives on', observed });
    await target.crash();
  }

  /** Cancels what is left, and lets the monitors see the last state of everything. */
  async #settle(): Promise<void> {
    const target = this.#target;
    this.#isSettled = true;
    try {
      if (target.hasToken) await target.cancelAll();
      await target.quiet();
      for (const path of ['/v1/status', `${target.consumerBase}/snapshot/latest`, '/v1/events']) await target.get(path);
    } catch (error) {
      ignoreNoAnswer(error);
    }
  }

  #remote(): Target {
    return new Target({ ...this.#targetParts(), base: this.#options.profile.baseUrl });
  }

  #server(options: ServerOptions): OwnServer {
    const { profile } = this.#options;
    if (profile.start === undefined) throw new Error('there is no start command');
    return new OwnServer(profile, profile.start, options, this.#targetParts());
  }

  #targetParts() {
    const { token, tokenHeader, consumerBase, claims } = this.#options.profile;
    const watch = new Watch(this.#findings, { consumerBase, token, claims }, this.#traffic);
    return { token, tokenHeader, consumerBase, prefix: this.#prefix, watch };
  }
}

/** The checks tell what does not answer. */
function ignoreNoAnswer(error: unknown): void {
  if (!(error instanceof NoAnswer)) throw error;
}

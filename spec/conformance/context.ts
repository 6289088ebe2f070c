/** What a check gets: the target, its own ids, a way to tell, and servers of its own where the profile can start them. */
import type { Severity } from './catalogue.js';
import { Ended, NotApplicable, NotTested } from './check.js';
import type { Findings, Request } from './findings.js';
import { type JsonObject, shown } from './json.js';
import type { Fate, Profile } from './profile.js';
import type { Random } from './random.js';
import type { Exchange } from './target/exchange.js';
import type { OwnServer, ServerOptions } from './target/own-server.js';
import type { Target } from './target/target.js';
import { inLanes, pause, until } from './waiting.js';

export interface ContextParts {
  readonly check: string;
  readonly profile: Profile;
  readonly target: Target;
  readonly findings: Findings;
  readonly random: Random;
  readonly prefix: string;
  /** Waits in the shared target's queue since the beginning of the run. */
  readonly waitingJobId: string | undefined;
  /** Undefined where this program does not own the process. */
  readonly makeServer: ((options: ServerOptions) => Promise<OwnServer>) | undefined;
}

/** Job types are taken from here where nothing is promised: the one that reads and changes least. */
export const defaultJobType = 'openclaw.snapshot';

export class Context {
  readonly profile: Profile;
  /** The server that all checks share; others may use it too. */
  readonly target: Target;
  readonly random: Random;
  readonly until = until;
  readonly pause = pause;
  readonly inLanes = inLanes;
  readonly #parts: ContextParts;
  readonly #servers: OwnServer[] = [];
  #count = 0;

  constructor(parts: ContextParts) {
    this.#parts = parts;
    this.profile = parts.profile;
    this.target = parts.target;
    this.random = parts.random;
  }

  /** A new id that begins with the prefix of the run; good as job id, request id and idempotency key. */
  id(label = 'x'): string {
    this.#count += 1;
    return `${this.#parts.prefix}${this.#parts.check.split('.').slice(1).join('-')}-${label}-${this.#count}`;
  }

  /** An envelope for a job that nothing is promised for but that it may be submitted; members of `more` win. */
  envelope(more: JsonObject = {}): JsonObject {
    const { job_type, payload = {} } = this.profile.workload?.idle ?? { job_type: defaultJobType };
    return { request_id: this.id('request'), job_id: this.id('job'), job_type, payload, ...more };
  }

  /** An envelope for a job of a promised fate. @throws NotTested when nothing promises it */
  work(fate: Fate, more: JsonObject = {}): JsonObject {
    const work = this.profile.workload?.[fate];
    if (work === undefined) throw new NotTested(`the profile's workload promises no job that will ${fate}`);
    const { job_type, payload = {} } = work;
    return { request_id: this.id('request'), job_id: this.id('job'), job_type, payload, ...more };
  }

  get leaseMs(): number {
    if (this.profile.leaseMs === undefined) throw new NotTested('the profile does not say lease_ms');
    return this.profile.leaseMs;
  }

  /** A job that waits since the beginning of the run, where there is a token. */
  get waitingJobId(): string | undefined {
    return this.#parts.waitingJobId;
  }

  /** Whether this program starts and kills the server. */
  get ownsProcess(): boolean {
    return this.#parts.makeServer !== undefined;
  }

  /**
   * A server for this check alone, on a fresh data folder, started; it is killed and removed after the check.
   * @throws NotTested where the process is not ours
   */
  async server(options: ServerOptions = {}): Promise<OwnServer> {
    if (this.#parts.makeServer === undefined) throw new NotTested('there is no profile with a start command');
    const server = await this.#parts.makeServer(options);
    this.#servers.push(server);
    if (options.stopped !== true) await server.start();
    return server;
  }

  /** Whether an option counts as there: declared, or nobody declared anything and `look` finds it. */
  async hasOption(name: string, look: () => Promise<boolean>): Promise<boolean> {
    const { options } = this.profile;
    return options === undefined ? look() : options.includes(name) || options.includes(this.#parts.check);
  }

  async needOption(name: string, look: () => Promise<boolean>): Promise<void> {
    if (await this.hasOption(name, look)) return;
    throw new NotApplicable(this.profile.options === undefined ? `no ${name} here` : `${name} is not declared`);
  }

  must(holds: boolean, expected: string, observed: unknown, seen?: Request): boolean {
    return this.#note('MUST', holds, expected, observed, seen);
  }

  should(holds: boolean, expected: string, observed: unknown, seen?: Request): boolean {
    return this.#note('SHOULD', holds, expected, observed, seen);
  }

  may(holds: boolean, expected: string, observed: unknown, seen?: Request): boolean {
    return this.#note('MAY', holds, expected, observed, seen);
  }

  /** A MUST without which the rest of the check says nothing. @throws Ended */
  demand(holds: boolean, expected: string, observed: unknown, seen?: Request): void {
    if (!this.must(holds, expected, observed, seen)) throw new Ended(expected);
  }

  /** An answer has this status; its body is shown where it has not. */
  mustAnswer(answer: Exchange, status: number | readonly number[], of: string): boolean {
    const wanted = typeof status === 'number' ? [status] : status;
    return this.must(wanted.includes(answer.status), `${of}: ${wanted.join(' or ')}`, said(answer), answer);
  }

  /** The same, and the check ends where it has not. @throws Ended */
  demandAnswer(answer: Exchange, status: number | readonly number[], of: string): void {
    if (!this.mustAnswer(answer, status, of)) throw new Ended(of);
  }

  /**
   * Submits with the token and needs a good answer; whether that is a 202 is a question for `enqueue.submit.accepted`.
   * Returns the answer; its job id is `textAt(answer.json, 'job_id')`. @throws Ended NotTested
   */
  async accepted(envelope: JsonObject, target: Target = this.target): Promise<Exchange> {
    const answer = await target.submit(envelope);
    if (answer.status === 404 && !this.profile.claims.includes('enqueue')) {
      throw new NotTested('there is no POST /v1/jobs, and the level enqueue is not claimed');
    }
    this.demand(isGood(answer), `a submit of ${String(envelope['job_type'])} is taken`, said(answer), answer);
    return answer;
  }

  /** Nothing may have been appended by what is done here. @param of what is done, for the finding */
  async mustAppendNothing(of: string, action: () => Promise<void>, target: Target = this.target): Promise<void> {
    const found = await target.appendsNothing(action);
    this.must(found.length === 0, `${of}: no new event`, `${found.length} new: ${shown(found[0])}`);
  }

  /** How often monitors judged something for this check. */
  timesJudged(check: string = this.#parts.check): number {
    return this.#parts.findings.timesJudged(check);
  }

  /** Ends the servers of this check. */
  async close(): Promise<void> {
    for (const server of this.#servers.splice(0).reverse()) await server.dispose();
  }

  #note(severity: Severity, holds: boolean, expected: string, observed: unknown, request?: Request): boolean {
    if (!holds) {
      this.#parts.findings.add(this.#parts.check, {
        severity,
        expected,
        observed: typeof observed === 'string' ? observed : shown(observed ?? 'absent'),
        request,
      });
    }
    return holds;
  }
}

export function isGood({ status }: Pick<Exchange, 'status'>): boolean {
  return status >= 200 && status <= 299;
}

/** An answer in few words. */
export function said(answer: Exchange): string {
  return `${answer.status} ${shown(answer.text === '' ? '(no body)' : answer.text)}`;
}

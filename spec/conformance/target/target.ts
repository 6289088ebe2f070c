/** A running server as the checks see it: every answer passes the monitors, and what was submitted is remembered. */
import { NotTested } from '../check.js';
import { at, isObject, type JsonObject, numberAt, objectsAt, textAt } from '../json.js';
import type { Watch } from '../monitor/watch.js';
import { pause, until } from '../waiting.js';
import { type Ask, type Exchange, NoAnswer } from './exchange.js';
import { type Carrier, exchange, sendAndVanish } from './http-client.js';
import { Patience } from './patience.js';
import { cancelWhere, Submissions } from './submissions.js';

/** Reads the two heads again after this long, until they agree. */
const QUIET_EVERY_MS = 60;
const QUIET_WITHIN_MS = 4_000;
/** A new event is held against the target when it comes every time: others may use the same server. */
const APPEND_TRIES = 3;

export interface TargetOptions {
  readonly base: string;
  readonly tokenHeader: string;
  readonly token: string | undefined;
  readonly consumerBase: string;
  /** Ids that this run makes begin so. */
  readonly prefix: string;
  readonly watch: Watch;
}

export class Target {
  readonly consumerBase: string;
  readonly watch: Watch;
  protected carrier: Carrier;
  readonly #prefix: string;
  #auth: 'header' | 'bearer' = 'header';
  readonly #submissions = new Submissions();
  /** Requests without an answer so far. */
  readonly #onTheirWay = new Set<Promise<unknown>>();
  #isLeaving = false;
  readonly #patience = new Patience();

  constructor({ base, tokenHeader, token, consumerBase, prefix, watch }: TargetOptions) {
    this.carrier = { base, tokenHeader, token };
    this.consumerBase = consumerBase;
    this.watch = watch;
    this.#prefix = prefix;
  }

  get base(): string {
    return this.carrier.base;
  }

  get tokenHeader(): string {
    return this.carrier.tokenHeader;
  }

  get hasToken(): boolean {
    return this.carrier.token !== undefined;
  }

  /** The valid token, for checks that spell it in their own way. */
  get token(): string {
    if (this.carrier.token === undefined) throw new NotTested('there is no token');
    return this.carrier.token;
  }

  /**
   * Asks and gets the answer whatever it is, without the token unless `auth` says so.
   * @throws NoAnswer
   */
  async ask(ask: Ask): Promise<Exchange> {
    const answer = await this.#follow(ask, () =>
      this.#patience.with(ask, (bounded) => exchange(this.carrier, bounded)),
    );
    this.#submissions.remember(answer);
    this.watch.see(answer);
    return answer;
  }

  get(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Exchange> {
    return this.ask({ path, headers });
  }

  /**
   * With the token, unless `more` says otherwise. A server that reads it in only one of its two places is asked there:
   * what is wrong with the other one is a question for one check, and no reason to see nothing else.
   */
  async post(path: string, body: Ask['body'], more: Partial<Ask> = {}): Promise<Exchange> {
    const ask: Ask = { method: 'POST', path, auth: this.#auth, ...(body === undefined ? {} : { body }), ...more };
    const answer = await this.ask(ask);
    const isPlain = more.auth === undefined && more.headers === undefined;
    if (answer.status !== 403 || !isPlain || !this.hasToken) return answer;
    const other = this.#auth === 'header' ? 'bearer' : 'header';
    const again = await this.ask({ ...ask, auth: other });
    if (again.status === 403) return answer;
    this.#auth = other;
    return again;
  }

  /** `POST /v1/jobs` with the token. */
  submit(body: Ask['body'], more: Partial<Ask> = {}): Promise<Exchange> {
    return this.post('/v1/jobs', body, more);
  }

  cancel(jobId: string, body: JsonObject = {}, more: Partial<Ask> = {}): Promise<Exchange> {
    return this.post('/v1/jobs/cancel', { job_id: jobId, ...body }, more);
  }

  trigger(body: Ask['body'], more: Partial<Ask> = {}): Promise<Exchange> {
    return this.post(`${this.consumerBase}/triggers/jobs`, body, more);
  }

  /** Sends a whole request with the token and is gone before the answer comes. */
  async sendAndVanish(path: string, body: object): Promise<void> {
    const ask: Ask = { method: 'POST', path, body, auth: this.#auth };
    await this.#follow(ask, () => sendAndVanish(this.carrier, ask));
  }

  /** Lets what is on its way come to its end, whoever still waits for it, begins nothing new, and cancels all. */
  async leave(): Promise<void> {
    this.#isLeaving = true;
    await Promise.allSettled(this.#onTheirWay);
    await this.cancelAll();
  }

  /** @throws NoAnswer for whatever would leave something behind once the run is over */
  async #follow<Value>({ method = 'GET', path }: Ask, begin: () => Promise<Value>): Promise<Value> {
    if (this.#isLeaving && method === 'POST' && !path.endsWith('/cancel')) {
      const ask = { method, base: this.base, path, requestHeaders: {}, requestBody: undefined };
      throw new NoAnswer('it was not asked: the run is over', ask);
    }
    const work = begin();
    this.#onTheirWay.add(work);
    try {
      return await work;
    } finally {
      this.#onTheirWay.delete(work);
    }
  }

  /** The JSON object that a read answers; anything else counts as no answer. @throws NoAnswer */
  async read(path: string): Promise<JsonObject> {
    return (await this.readExchange(path)).json as JsonObject;
  }

  /** The same with all that came with it. @throws NoAnswer */
  async readExchange(path: string): Promise<Exchange> {
    const answer = await this.get(path);
    if (answer.status === 200 && isObject(answer.json)) return answer;
    throw new NoAnswer(`status ${answer.status}, where 200 with a JSON object was expected`, answer);
  }

  ready(): Promise<JsonObject> {
    return this.read('/v1/ready');
  }

  status(): Promise<JsonObject> {
    return this.read('/v1/status');
  }

  consumer(path: string): Promise<JsonObject> {
    return this.read(this.consumerBase + path);
  }

  async events(): Promise<readonly JsonObject[]> {
    return objectsAt(await this.read('/v1/events'), 'events');
  }

  async eventsOf(jobId: string, type?: string): Promise<readonly JsonObject[]> {
    return (await this.events()).filter(
      (event) => event['job_id'] === jobId && (type === undefined || event['event_type'] === type),
    );
  }

  /** The job as the queue shows it. */
  async job(jobId: string): Promise<JsonObject | undefined> {
    return objectsAt(await this.status(), 'queue', 'jobs').find((job) => job['job_id'] === jobId);
  }

  /** Waits until nothing is being appended, and goes on where something always is. Tells whether it is quiet. */
  async quiet(): Promise<boolean> {
    let before: string | undefined;
    const end = Date.now() + QUIET_WITHIN_MS;
    while (Date.now() < end) {
      const answer = await this.get('/v1/ready');
      if (answer.status !== 200) return false;
      const lag = at(answer.json, 'projection_lag');
      const head = `${numberAt(lag, 'event_count')} ${textAt(lag, 'last_event_id')}`;
      if (head === before) return true;
      before = head;
      await pause(QUIET_EVERY_MS);
    }
    return false;
  }

  /**
   * Events that came while `action` ran and may be its doing; workers and other callers are told apart by what they do,
   * and by doing it only sometimes.
   */
  async appendsNothing(action: () => Promise<void>): Promise<readonly JsonObject[]> {
    let found: readonly JsonObject[] = [];
    for (let attempt = 0; attempt < APPEND_TRIES; attempt += 1) {
      const before = new Set((await this.events()).map((event) => event['event_id']));
      await action();
      found = (await this.events()).filter((event) => !before.has(event['event_id']) && !isWorkers(event));
      if (found.length === 0) return found;
    }
    return found;
  }

  /** Waits for a job to be shown as one of these. @throws Late */
  async untilStatus(jobId: string, statuses: readonly string[], withinMs: number): Promise<JsonObject> {
    return until(`job ${jobId} to be ${statuses.join(' or ')}`, withinMs, async () => {
      const job = await this.job(jobId);
      return job !== undefined && statuses.includes(textAt(job, 'status') ?? '') ? job : undefined;
    });
  }

  /** Cancels what was submitted since it was last called. @param kept ids that are left alone */
  cancelSubmitted(kept: readonly string[]): Promise<void> {
    return this.#submissions.cancel(this, kept);
  }

  /** Cancels whatever this run left behind: all that carries its prefix. */
  async cancelAll(): Promise<void> {
    const names = ['job_id', 'request_id', 'idempotency_key'];
    await cancelWhere(this, (job) => names.some((name) => textAt(job, name)?.includes(this.#prefix)));
    await this.cancelSubmitted([]);
  }
}

/** What workers write by themselves. */
function isWorkers(event: JsonObject): boolean {
  return /^(job\.(claimed|heartbeat|lease_expired|completed|failed)|factory\..*)$/.test(
    textAt(event, 'event_type') ?? '',
  );
}

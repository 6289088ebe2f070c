/**
 * Callers that never give up: lanes that submit keyed jobs one after the other, ask again with a key that they had used
 * before now and then, and write down every promise that they were given. `check` holds a daemon and its files to them.
 */
import * as assert from 'node:assert';
import { auditLedger } from './crash-audit.js';
import type { Chance } from './crash-chance.js';
import type { CrashDaemon, Reply } from './crash-room.js';

interface Promised {
  readonly jobId: string;
  /** Each `last_event_id` that an answer told of this job. */
  readonly eventIds: Set<string>;
}
interface Sent {
  readonly envelope: { readonly job_type: string; readonly payload: object; readonly idempotency_key: string };
  promised?: Promised;
}

const LANES = 32;
const PAUSE_AFTER_REFUSAL_MS = 25;
const ENDS = ['job.completed', 'job.failed'];

export class CrashLoad {
  readonly #chance: Chance;
  readonly #sent: Sent[] = [];
  /** What was answered with anything else than 202. */
  readonly refusals: Reply[] = [];
  /** Answers of 202, repeated ones among them. */
  answers = 0;

  constructor(chance: Chance) {
    this.#chance = chance;
  }

  get promised(): number {
    return this.#sent.filter((sent) => sent.promised !== undefined).length;
  }
  /** Keys whose callers never got an answer. */
  get inDoubt(): number {
    return this.#sent.length - this.promised;
  }

  /** Lanes of callers until the connection breaks or `stop` is called, which waits for their last answers. */
  begin(daemon: CrashDaemon, lanes = LANES): { stop(): Promise<void>; readonly ended: Promise<void> } {
    const state = { stopped: false };
    const ended = Promise.all(Array.from({ length: lanes }, () => this.#lane(daemon, state))).then(() => undefined);
    return {
      ended,
      stop: () => {
        state.stopped = true;
        return ended;
      },
    };
  }

  async #lane(daemon: CrashDaemon, state: { stopped: boolean }): Promise<void> {
    while (!state.stopped) {
      const sent = this.#next();
      let reply: Reply;
      try {
        reply = await daemon.submit(sent.envelope);
      } catch {
        return;
      }
      if (reply.status === 202) this.#note(sent, reply.body);
      else {
        this.refusals.push(reply);
        await new Promise((resolve) => setTimeout(resolve, PAUSE_AFTER_REFUSAL_MS));
      }
    }
  }

  #next(): Sent {
    const again = this.#chance.below(8) === 0 ? this.#sent[this.#chance.below(this.#sent.length)] : undefined;
    if (again !== undefined) return again;
    const number = this.#sent.length + 1;
    // Some are run, and so claimed and completed under the same load; nobody takes the others.
    const job_type = this.#chance.below(64) === 0 ? 'openclaw.snapshot' : 'eval.suite';
    const payload = { crash_number: number, text: 'x'.repeat(this.#chance.below(400)) };
    const sent: Sent = { envelope: { job_type, payload, idempotency_key: `crash-${number}` } };
    this.#sent.push(sent);
    return sent;
  }

  #note(sent: Sent, body: Record<string, unknown>): void {
    this.answers += 1;
    const jobId = String(body['job_id']);
    sent.promised ??= { jobId, eventIds: new Set() };
    assert.equal(jobId, sent.promised.jobId, `${sent.envelope.idempotency_key} names two jobs`);
    assert.equal(body['idempotency_key'], sent.envelope.idempotency_key);
    sent.promised.eventIds.add(String(body['last_event_id']));
  }

  /**
   * Everything that was promised is there, in the files and in the daemon's own account, and each key is one job.
   * @returns how many events there are
   */
  async check(daemon: CrashDaemon, ledger: string): Promise<number> {
    const told = (await daemon.tellsEvents()).events as unknown as Parameters<typeof this.holds>[0];
    const audited = auditLedger(ledger);
    // Work goes on between the two looks.
    assert.deepEqual(
      audited.slice(0, told.length).map((event) => event.event_id),
      told.map((event) => event.event_id),
    );
    this.holds(audited);
    return audited.length;
  }

  /** @throws AssertionError that names what was promised and is not there */
  holds(events: readonly { event_id: string; event_type: string; job_id: string; payload?: object }[]): void {
    const byId = new Map(events.map((event) => [event.event_id, event]));
    const accepted = new Map(
      events.flatMap((event) => (event.event_type === 'job.accepted' ? [[event.job_id, event] as const] : [])),
    );
    for (const { envelope, promised } of this.#sent) {
      if (promised === undefined) continue;
      const { idempotency_key: key, job_type, payload } = envelope;
      const event = accepted.get(promised.jobId);
      assert.ok(event !== undefined, `${promised.jobId} (${key}) was acknowledged and is lost`);
      const { job_payload, ...facts } = event.payload as {
        job_payload: object;
        job_type: string;
        idempotency_key: string;
      };
      assert.deepEqual(job_payload, payload, `${key} came back with another payload`);
      assert.equal(facts.job_type, job_type);
      assert.equal(facts.idempotency_key, key);
      for (const id of promised.eventIds) {
        assert.equal(byId.get(id)?.job_id, promised.jobId, `${id} was told with ${key} and is lost`);
      }
    }
  }

  /** Asks again for keys, answered or not, `count` of them: each answer is one and the same job. */
  async askAgain(daemon: CrashDaemon, count: number): Promise<void> {
    const open = this.#sent.filter((sent) => sent.promised === undefined);
    const asked = [...open.slice(-count), ...this.#sent.slice(-count)];
    await Promise.all(
      asked.map(async (sent) => {
        const { status, body } = await daemon.submit(sent.envelope);
        assert.equal(status, 202, JSON.stringify(body));
        this.#note(sent, body);
      }),
    );
  }
}

export function endsOf(events: readonly { event_type: string }[]): number {
  return events.filter((event) => ENDS.includes(event.event_type)).length;
}

/** Asserts that each refusal is an honest one: 503 with an error in words. */
export function assertHonest(refusals: readonly Reply[]): void {
  for (const { status, body } of refusals) {
    assert.equal(status, 503, JSON.stringify(body));
    assert.ok(typeof body['error'] === 'string' && body['error'].length > 0, JSON.stringify(body));
  }
}

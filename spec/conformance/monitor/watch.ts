/**
 * The monitors of one target: they see every answer, whoever asked, and never ask anything themselves. What needs the
 * events to be judged waits until a list of events came that reaches far enough.
 */
import { type Route, routeFor } from '../contract-routes.js';
import type { Findings, Report } from '../findings.js';
import { emptyFold, foldEvents } from '../fold.js';
import { isObject, type JsonObject, numberAt, objectsAt, same, shown, textAt } from '../json.js';
import { type Exchange, routeOf } from '../target/exchange.js';
import { type AnswerContext, judgeAnswer } from './answer-rules.js';
import { type Awaited, awaitedOf } from './awaited.js';
import { consumerLists, isHandle, judgeResources } from './consumer-oracle.js';
import { judgeHistory, judgeList } from './event-rules.js';
import { judgeHonesty } from './honesty-rules.js';
import { judgeStatusAlone } from './status-oracle.js';

interface Waiting extends Awaited {
  readonly answer: Exchange;
  /** Events that were told of before it was asked. */
  readonly atLeast: number;
}

/** What a shared run counts, to tell whether anything was tested at all. */
export interface Traffic {
  answers: number;
  forbidden: number;
  accepted: number;
  events: number;
}

export function noTraffic(): Traffic {
  return { answers: 0, forbidden: 0, accepted: 0, events: 0 };
}

/** Of what is gone after a start. */
const HISTORY_CHECK = 'enqueue.durable.history';
/** More answers than this wait for nothing but a broken list of events. */
const MOST_WAITING = 400;

/** An answer from before a start: where the events say otherwise now, its own are gone and others bear their ids. */
function ofHistory(waiting: Waiting): Waiting {
  const judge: Waiting['judge'] = (known, report) =>
    waiting.judge(known, (_, severity, expected, observed) => report(HISTORY_CHECK, severity, expected, observed));
  return { ...waiting, about: HISTORY_CHECK, judge };
}

export class Watch {
  readonly #findings: Findings;
  readonly #context: AnswerContext;
  readonly #traffic: Traffic;
  #known: readonly JsonObject[] = [];
  #knownText: readonly string[] = [];
  #knownReadAt = 0;
  #waiting: Waiting[] = [];
  /** No list was read since the last start. */
  #isStarted = false;
  #views = true;
  /** The most events that an answer told of, and when it was there. */
  #most = { count: 0, at: 0 };

  constructor(findings: Findings, context: AnswerContext, traffic: Traffic) {
    this.#findings = findings;
    this.#context = context;
    this.#traffic = traffic;
  }

  /** The longest list of events so far. */
  get events(): readonly JsonObject[] {
    return this.#known;
  }

  /** The ledger was changed from outside: what was read before binds nobody any more. */
  forget(options: { readonly views?: boolean } = {}): void {
    this.#known = [];
    this.#knownText = [];
    this.#knownReadAt = 0;
    this.#waiting = [];
    this.#most = { count: 0, at: 0 };
    this.#views = options.views ?? true;
  }

  /** Another process stands on the same data: what it lacks of the history is lost, and never was rewritten. */
  restarted(): void {
    this.#isStarted = true;
    this.#most = { count: 0, at: 0 };
    this.#waiting = this.#waiting.map(ofHistory);
  }

  see(answer: Exchange): void {
    this.#traffic.answers += 1;
    if (answer.status === 403) this.#traffic.forbidden += 1;
    if (answer.status === 202) this.#traffic.accepted += 1;
    judgeAnswer(answer, this.#context, this.#findings);
    const route = routeFor(routeOf(answer), this.#context.consumerBase);
    if (route === undefined || answer.method !== route.method || answer.status !== route.success) return;
    if (!isObject(answer.json)) return;
    this.#judge(route, answer, this.#reportFor(answer));
  }

  #reportFor(answer: Exchange): Report {
    return (check, severity, expected, observed) =>
      this.#findings.add(check, { severity, expected, observed, request: answer });
  }

  #judge({ schema }: Route, answer: Exchange, report: Report): void {
    this.#findings.judged('observe.ready.self-consistent');
    judgeHonesty(schema, answer.json, report);
    this.#judgeCount(answer, report);
    if (schema === 'Events') this.#seeEvents(answer, report);
    if (schema === 'Status') judgeStatusAlone(answer.json, report);
    if (schema.startsWith('Consumer')) this.#seeConsumer(schema, answer, report);
    for (const each of awaitedOf(schema, answer, answer.json as JsonObject)) this.#await(answer, each);
  }

  /** A history never gets shorter: who asks later is told of no fewer events. */
  #judgeCount(answer: Exchange, report: Report): void {
    const count = numberAt(answer.json, 'projection_lag', 'event_count');
    if (count === undefined) return;
    if (answer.startedAt > this.#most.at && count < this.#most.count) {
      const expected = `event_count ${this.#most.count} or more, as was answered before`;
      report('observe.events.count-matches-lag', 'SHOULD', expected, `event_count ${count}`);
    }
    if (count > this.#most.count) this.#most = { count, at: answer.endedAt };
  }

  #seeConsumer(schema: string, answer: Exchange, report: Report): void {
    const ledger = textAt(answer.json, 'source', 'ledger');
    if (ledger !== undefined && isHandle(ledger)) {
      report('project.consumer.no-storage-handle', 'SHOULD', 'source.ledger relative to its root', ledger);
    }
    const lists = schema === 'ConsumerSnapshot' ? (answer.json as JsonObject)['resources'] : answer.json;
    for (const [name, kind] of consumerLists) judgeResources(objectsAt(lists, name), kind, report);
  }

  #await(answer: Exchange, awaited: Awaited): void {
    if (!this.#views || awaited.head === undefined || this.#waiting.length >= MOST_WAITING) return;
    const atLeast = this.#most.at < answer.startedAt ? this.#most.count : 0;
    this.#waiting.push({ answer, atLeast, ...awaited });
  }

  #seeEvents(answer: Exchange, report: Report): void {
    if (answer.path.includes('?')) return;
    const events = objectsAt(answer.json, 'events');
    this.#traffic.events = Math.max(this.#traffic.events, events.length);
    const texts = events.map((event) => JSON.stringify(event));
    this.#judgeGrowth(events, texts, answer, report);
    // Where a record is lost, what followed it can't be judged.
    const isWhole = this.#views && objectsAt(answer.json, 'corrupt').length === 0;
    if (isWhole) judgeHistory(events, report, (check) => this.#findings.judged(check));
    else judgeList(events, report);
    if (isWhole) this.#settle(events, answer);
    else this.#waiting = [];
  }

  /** What was read once is the beginning of whatever is read later. */
  #judgeGrowth(events: readonly JsonObject[], texts: readonly string[], answer: Exchange, report: Report): void {
    const check = this.#isStarted ? HISTORY_CHECK : 'observe.events.append-only';
    this.#isStarted = false;
    this.#findings.judged(check);
    const later = answer.startedAt >= this.#knownReadAt;
    const common = Math.min(texts.length, this.#knownText.length);
    for (let index = 0; index < common; index += 1) {
      if (texts[index] === this.#knownText[index] || same(events[index], this.#known[index])) continue;
      report(
        check,
        'MUST',
        `event ${index + 1} as it was read before: ${shown(this.#known[index])}`,
        shown(events[index]),
      );
      if (check === HISTORY_CHECK) this.#know(events, texts, answer);
      return;
    }
    if (later && texts.length < this.#knownText.length) {
      report(
        check,
        'MUST',
        `at least the ${this.#knownText.length} events that were read before`,
        `${texts.length} events`,
      );
      if (check === HISTORY_CHECK) this.#know(events, texts, answer);
      return;
    }
    if (texts.length >= this.#knownText.length) this.#know(events, texts, answer);
  }

  #know(events: readonly JsonObject[], texts: readonly string[], { endedAt }: Exchange): void {
    this.#known = events;
    this.#knownText = texts;
    this.#knownReadAt = endedAt;
  }

  /** Judges whatever waited for an event that is known now. */
  #settle(events: readonly JsonObject[], list: Exchange): void {
    const places = new Map(events.map((event, index) => [textAt(event, 'event_id'), index]));
    const still: Waiting[] = [];
    const ready: (Waiting & { place: number })[] = [];
    for (const waiting of this.#waiting) {
      const place = places.get(waiting.head);
      if (place !== undefined) ready.push({ ...waiting, place });
      else if (waiting.answer.endedAt <= list.startedAt) this.#tellUnknownHead(waiting);
      else still.push(waiting);
    }
    this.#waiting = still;
    let fold = emptyFold();
    let folded = 0;
    for (const each of ready.sort((a, b) => a.place - b.place)) {
      const { answer, judge, judges, place } = each;
      if (each.isHead && place + 1 < each.atLeast) this.#tellOldHead(each);
      fold = foldEvents(events.slice(folded, place + 1), fold);
      folded = place + 1;
      for (const check of judges) this.#findings.judged(check);
      const known = { fold, events: events.slice(0, folded), later: events.slice(folded) };
      judge(known, this.#reportFor(answer));
    }
  }

  #tellOldHead({ answer, head, about, atLeast }: Waiting): void {
    const expected = `the head of a ledger of ${atLeast} events or more, as was answered before`;
    this.#findings.add(about, { severity: 'SHOULD', expected, observed: shown(head), request: answer });
  }

  #tellUnknownHead({ answer, head, about }: Waiting): void {
    const expected = 'a last_event_id that /v1/events has';
    this.#findings.add(about, { severity: 'MUST', expected, observed: shown(head), request: answer });
  }
}

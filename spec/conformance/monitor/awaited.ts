/** What an answer says that only the events can confirm: each part waits until the event is known that it names. */
import type { SchemaName } from '../contract-schemas.js';
import type { Report } from '../findings.js';
import type { Fold } from '../fold.js';
import { at, type JsonObject, numberAt, textAt } from '../json.js';
import { type Exchange, routeOf } from '../target/exchange.js';
import { judgeConsumerHealth, judgeLinks, judgeSnapshot } from './consumer-oracle.js';
import type { Moment } from './queue-oracle.js';
import { headOf, judgeStatus } from './status-oracle.js';
import { judgeCancelled, judgeTaken } from './write-rules.js';

export interface Awaited {
  /** The event that it names, by its id. */
  readonly head: string | undefined;
  /** Told against this when there is no such event. */
  readonly about: string;
  /** Whether it is named as the last one of the ledger. */
  readonly isHead: boolean;
  /** Checks that have something to judge by it. */
  readonly judges: readonly string[];
  readonly judge: (known: Known, report: Report) => void;
}

export interface Known {
  /** Of the events up to the one that is named. */
  readonly fold: Fold;
  readonly events: readonly JsonObject[];
  readonly later: readonly JsonObject[];
}

const HEADS = 'observe.status.head-equals-ledger-head';
const COUNTS = 'observe.events.count-matches-lag';
const TAKEN = 'enqueue.submit.event-correlates';
const TRIGGERED = 'project.trigger.allowlisted';
const SNAPSHOT = 'project.consumer.snapshot-identity';

/** @param body the JSON of a good answer */
export function awaitedOf(schema: SchemaName, answer: Exchange, body: JsonObject): Awaited[] {
  const moment: Moment = { from: answer.startedAt, to: answer.endedAt };
  const lag = typeof body['projection_lag'] === 'object' ? [lagOf(schema, answer, body)] : [];
  const own = ownOf(schema, answer, body, moment);
  return own === undefined ? lag : [...lag, own];
}

function ownOf(schema: SchemaName, answer: Exchange, body: JsonObject, moment: Moment): Awaited | undefined {
  switch (schema) {
    case 'Status':
      return {
        head: headOf(body),
        about: HEADS,
        isHead: true,
        judges: ['execute.state.replay-oracle', 'project.rebuild.oracle'],
        judge: ({ fold }, report) => judgeStatus(body, fold, moment, report),
      };
    case 'Submit':
    case 'Trigger':
      return takenOf(schema === 'Submit' ? TAKEN : TRIGGERED, body, moment);
    case 'Cancel': {
      const about = cancelCheck(answer);
      const judge: Awaited['judge'] = ({ fold }, report) => judgeCancelled(body, fold, moment, about, report);
      return { head: textAt(body, 'projection_lag', 'last_event_id'), about, isHead: true, judges: [], judge };
    }
    case 'ConsumerSnapshot':
      return {
        head: textAt(body, 'source', 'last_event_id'),
        about: SNAPSHOT,
        isHead: true,
        judges: ['project.consumer.equals-status'],
        judge: ({ fold, events, later }, report) => {
          judgeSnapshot(body, fold, moment, report);
          judgeLinks(body, new Set([...events, ...later].map((event) => textAt(event, 'event_id') ?? '')), report);
        },
      };
    case 'ConsumerHealth':
      return {
        head: textAt(body, 'source', 'last_event_id'),
        about: SNAPSHOT,
        isHead: true,
        judges: [],
        judge: ({ fold }, report) => judgeConsumerHealth(body, fold, moment, report),
      };
    default:
      return undefined;
  }
}

function takenOf(check: string, body: JsonObject, moment: Moment): Awaited {
  return {
    head: textAt(body, 'last_event_id'),
    about: check,
    isHead: false,
    judges: [],
    judge: ({ events, later }, report) =>
      judgeTaken(body, events, moment, later, (expected, observed) => report(check, 'MUST', expected, observed)),
  };
}

function lagOf(schema: SchemaName, answer: Exchange, body: JsonObject): Awaited {
  const lag = at(body, 'projection_lag');
  const head = textAt(lag, 'last_event_id');
  const count = numberAt(lag, 'event_count');
  const ofWrite = schema === 'Cancel' ? cancelCheck(answer) : TAKEN;
  const isWrite = answer.status === 202;
  return {
    head,
    about: isWrite ? ofWrite : HEADS,
    isHead: true,
    judges: [],
    judge: ({ fold }, report) => {
      if (count === fold.count) return;
      const expected = `event_count ${fold.count} at ${head}, as /v1/events has it`;
      report(isWrite ? ofWrite : COUNTS, 'MUST', expected, `event_count ${count}`);
    },
  };
}

/** The path form is offered by who likes: it weighs no more than that. */
function cancelCheck(answer: Exchange): string {
  return routeOf(answer).endsWith('/jobs/cancel') ? 'execute.cancel.queued' : 'execute.cancel.path-form';
}

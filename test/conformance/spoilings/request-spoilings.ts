/** Requests that reach the daemon otherwise than they were sent: cursors, names, payloads. */
import { randomUUID } from 'node:crypto';
import { answerOf, type Body, bodyOf, routeOf, withBody } from '../wire.js';
import type { Spoiling } from './spoiling.js';
import { asked, body, CANCEL, CANCEL_BY_PATH, member, onRoute, query, SUBMIT, TRIGGER, text } from './ways.js';

export function requestSpoilings(): Spoiling[] {
  return [
    ...cursorSpoilings(),
    ...nameSpoilings(),
    ...envelopeSpoilings(),
    ...payloadSpoilings(),
    ...cancelSpoilings(),
  ];
}

const limitOf = (sent: URLSearchParams): number => Number(sent.get('limit'));

function cursorSpoilings(): Spoiling[] {
  const step = (by: number) =>
    query((sent) => {
      const limit = limitOf(sent);
      if (Number.isInteger(limit) && limit > 0 && limit < 1000) sent.set('limit', String(limit + by));
    });
  const route = 'GET /v1/events';
  return [
    ...asked(route, ['observe.events.cursor-since', 'observe.events.paging-lossless'], {
      'since | ignored': query((sent) => sent.delete('since')),
      'after_id | ignored': query((sent) => sent.delete('after_id')),
      'since | ignored beside limit': query((sent) => sent.has('limit') && sent.delete('since')),
    }),
    ...asked(route, ['observe.events.limit', 'observe.events.paging-lossless'], {
      'limit | ignored': query((sent) => sent.delete('limit')),
      'limit | one more': step(1),
      'limit | one less': step(-1),
      'limit | ignored beside since': query((sent) => sent.has('since') && sent.delete('limit')),
      'limit | 0 is none': query((sent) => sent.get('limit') === '0' && sent.delete('limit')),
    }),
    ...asked(route, ['observe.events.limit-invalid'], {
      'limit | a fraction is cut': query(
        (sent) => sent.has('limit') && sent.set('limit', `${Math.floor(limitOf(sent))}`),
      ),
      'limit | a word is none': query((sent) => Number.isNaN(limitOf(sent)) && sent.delete('limit')),
      'limit | a negative one is 0': query((sent) => limitOf(sent) < 0 && sent.set('limit', '0')),
    }),
  ];
}

function nameSpoilings(): Spoiling[] {
  const key = 'idempotency_key';
  return [
    ...asked('POST /v1/jobs', ['enqueue.idem.*', 'enqueue.submit.accepted'], {
      'idempotency_key | dropped': member(SUBMIT, key, () => undefined),
      'idempotency_key | another each time': member(SUBMIT, key, () => randomUUID()),
      'idempotency_key | with an end': member(SUBMIT, key, (sent) => `${sent}x`),
      'idempotency_key | the first eight bytes': text(SUBMIT, key, (sent) => sent.slice(0, 8)),
      'job_id | dropped': member(SUBMIT, 'job_id', () => undefined),
      'job_id | another': text(SUBMIT, 'job_id', (sent) => `${sent}x`),
      'request_id | dropped': member(SUBMIT, 'request_id', () => undefined),
    }),
    ...asked('POST /v1/jobs', ['enqueue.idem.*', 'enqueue.submit.*'], {
      'idempotency_key | one is made up': body(SUBMIT, (sent) => ({
        ...sent,
        [key]: sent[key] || sent.request_id || 'none',
      })),
      'idempotency_key | dropped beside a job_id': body(SUBMIT, (sent) =>
        sent.job_id && sent[key] ? { ...sent, [key]: undefined } : undefined,
      ),
    }),
    ...asked('POST /v1/jobs', ['enqueue.validate.request-id-whitespace'], {
      'request_id | white space taken out': text(SUBMIT, 'request_id', (sent) => sent.replace(/\s/g, '')),
    }),
  ];
}

function envelopeSpoilings(): Spoiling[] {
  const known = ['request_id', 'job_id', 'job_type', 'idempotency_key', 'payload', 'token'];
  return [
    ...asked('POST /v1/jobs', ['enqueue.submit.in-status', 'enqueue.submit.event-correlates'], {
      'job_type | another': text(SUBMIT, 'job_type', (type) => (type === 'dream.run' ? 'dream.stage' : type)),
    }),
    ...asked('POST /v1/jobs', ['enqueue.validate.job-type-unknown'], {
      'job_type | in small letters': text(SUBMIT, 'job_type', (type) => type.toLowerCase()),
    }),
    ...asked('POST /v1/jobs', ['enqueue.validate.job-type-missing'], {
      'job_type | a default': body(SUBMIT, (sent) =>
        sent.job_type ? undefined : { ...sent, job_type: 'openclaw.snapshot' },
      ),
    }),
    ...asked('POST /v1/jobs', ['enqueue.submit.accepted'], {
      'members | only known ones pass': onRoute(SUBMIT, (request) => {
        const other = Object.keys(bodyOf(request) ?? {}).find((name) => !known.includes(name));
        return other === undefined ? undefined : answerOf(400, { error: `unknown member ${other}` });
      }),
    }),
    {
      route: 'POST /v1/jobs',
      member: 'the body',
      kind: 'that of the last one',
      right: ['enqueue.submit.*'],
      probe: ['enqueue.submit.*'],
      make: thatOfTheLast,
    },
  ];
}

function thatOfTheLast(): ReturnType<Spoiling['make']> {
  let last: Body | undefined;
  return {
    ask(request) {
      const sent = SUBMIT.test(routeOf(request)) ? bodyOf(request) : undefined;
      const before = last;
      last = sent ?? last;
      return sent === undefined || before === undefined ? undefined : withBody(request, before);
    },
  };
}

/** One value of a payload, each in another way. */
function payloadSpoilings(): Spoiling[] {
  const whole = (change: (payload: object) => unknown) =>
    member(SUBMIT, 'payload', (sent) =>
      typeof sent === 'object' && sent !== null && !Array.isArray(sent) ? change(sent) : sent,
    );
  const written = (change: (text: string) => string) =>
    member(SUBMIT, 'payload', (sent) => JSON.parse(change(JSON.stringify(sent))));
  return asked('POST /v1/jobs', ['enqueue.submit.payload-roundtrip', 'enqueue.submit.event-correlates'], {
    'payload | dropped': whole(() => ({})),
    'payload | one value more': whole((payload) => ({ ...payload, added: 1 })),
    'payload | null is dropped': written((json) => json.replace(/"[^"]*":null,?/g, '').replace(/,\}/g, '}')),
    'payload | an empty list is null': written((json) => json.replace(/\[\]/g, 'null')),
    'payload | a fraction is cut': written((json) => json.replace(/(\d)\.\d+/g, '$1')),
    'payload | a large number is rounded': written((json) => json.replaceAll(`${2 ** 53 - 1}`, `${2 ** 53}`)),
    'payload | false is 0': written((json) => json.replace(/:false/g, ':0')),
    'payload | no accents': written((json) => json.normalize('NFD').replace(/[\u0300-\u036f]/g, '')),
    'payload | no emoji': written((json) => json.replace(/\p{Extended_Pictographic}/gu, '?')),
    'payload | line ends': written((json) => json.replaceAll('\\n', '\\r\\n')),
    'payload | blanks in names': written((json) =>
      json.replace(/"([^":]* [^":]*)":/g, (_, name: string) => `"${name.replaceAll(' ', '_')}":`),
    ),
  });
}

function cancelSpoilings(): Spoiling[] {
  const triggered = /^(?:openclaw\.snapshot|rpi\.run|dream\.run|wiki\.forge)$/;
  return [
    ...asked('POST /v1/jobs/cancel', ['execute.cancel.queued'], {
      'reason | dropped': member(CANCEL, 'reason', () => undefined),
      'reason | another': member(CANCEL, 'reason', (sent) => `${sent}x`),
    }),
    ...asked('POST /v1/jobs/cancel', ['execute.cancel.correlates'], {
      'request_id | dropped': member(CANCEL, 'request_id', () => undefined),
    }),
    ...asked('POST /v1/jobs/cancel', ['execute.cancel.*'], {
      'job_id | another': text(CANCEL, 'job_id', (sent) => `${sent}x`),
    }),
    ...asked('POST /v1/jobs/{id}/cancel', ['execute.cancel.path-form'], {
      'job_id | that of the body is dropped': body(CANCEL_BY_PATH, (sent) => (sent.job_id ? {} : undefined)),
    }),
    ...asked('POST trigger', ['project.trigger.allowlisted'], {
      'job_type | another of the four': text(TRIGGER, 'job_type', (type) => (type === 'rpi.run' ? 'dream.run' : type)),
      'request_id | dropped': member(TRIGGER, 'request_id', () => undefined),
    }),
    ...asked('POST trigger', ['project.trigger.not-allowlisted'], {
      'job_type | any other becomes one of the four': text(TRIGGER, 'job_type', (type) =>
        triggered.test(type) ? type : 'openclaw.snapshot',
      ),
    }),
    ...asked('POST trigger', ['project.trigger.same-queue'], {
      'idempotency_key | dropped': member(TRIGGER, 'idempotency_key', () => undefined),
    }),
    ...asked('POST trigger', ['project.trigger.*'], { 'job_id | dropped': member(TRIGGER, 'job_id', () => undefined) }),
  ];
}

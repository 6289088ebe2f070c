/** The answer to a submit as it is put together by hand: letter by letter what the plain way gives. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { healthyLedger, type LedgerHealth } from '../../lib/model/health.js';
import type { State } from '../../lib/model/state.js';
import { SubmitTexts } from '../../lib/model/submit-text.js';
import type { ViewContext } from '../../lib/model/view-context.js';
import { submitAnswer } from '../../lib/model/views.js';
import { AT, carryOut, claimCommand, context, event, LEASE_END, stateAfter, submitCommand } from '../support/model.js';

const test = suite('submit-text');
const damaged: LedgerHealth = {
  damage: [{ line_number: 3, segment: '000001-aabbccdd.jsonl', segment_line: 3, error: 'not "JSON"' }],
  writable: false,
  reasons: ['the disk is full'],
  claimsHeldThroughSeq: 1,
};

function same(texts: SubmitTexts, state: State, now: ViewContext = context(), jobId = 'job_1'): void {
  const job = state.job(jobId);
  if (job === undefined) throw new Error(`there is no job ${jobId}`);
  assert.is(texts.text(job, state, now), JSON.stringify(submitAnswer(job, state, now)));
}

test('ids and keys, plain and odd', () => {
  const texts = new SubmitTexts();
  same(texts, stateAfter(submitCommand()));
  for (const odd of ['key', '', ' "quoted" \\ and\ncut', 'schlüssel', '\u{1f600}\u2028', '\u007f\u202e'])
    same(new SubmitTexts(), stateAfter(submitCommand({ idempotency_key: odd })));
  for (const odd of ['a b', 'ü"\\', '\u{1f600}'])
    same(new SubmitTexts(), stateAfter(submitCommand({ job_id: odd, request_id: `req_${odd}` })), context(), odd);
});

test('whatever became of the job', () => {
  const state = stateAfter(submitCommand(), claimCommand());
  const texts = new SubmitTexts();
  same(texts, state);
  same(texts, state, context({ wallMs: Date.parse(LEASE_END) + 1 }));
  same(texts, state, context({ wallMs: Date.parse(AT) }));
});

test('what is said about the ledger changes with it, at once', () => {
  const state = stateAfter(submitCommand());
  const texts = new SubmitTexts();
  same(texts, state);
  same(texts, state, context({ health: damaged }));
  same(texts, state, context({ health: { ...healthyLedger } }));
  same(texts, state, context({ projectionFailure: 'no room for "it"' }));
  same(texts, state);
  carryOut(state, submitCommand({ job_id: 'job_2', request_id: 'req_2' }));
  same(texts, state);
  same(texts, state, context(), 'job_2');
  state.apply(event('projection.marked_stale', undefined, { seq: 3 }), true);
  same(texts, state);
});

test.run();

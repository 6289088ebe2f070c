import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Job } from '../../lib/model/job.js';
import { LiveJobs } from '../../lib/model/live-jobs.js';
import { State } from '../../lib/model/state.js';
import { event } from '../support/model.js';

const test = suite('live jobs');

/** Only who it is matters here. */
const job = (name: string): Job => ({ job_id: name }) as Job;
const NUMBERS = 4_000;

test('a moment stays as it was, whatever happens after it, and costs nobody else anything', () => {
  const step = fc.record({
    kind: fc.constantFrom('set', 'set', 'set', 'delete', 'moment'),
    number: fc.nat(NUMBERS - 1),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const live = new LiveJobs();
      const model = new Map<number, Job>();
      const moments: [ReturnType<LiveJobs['moment']>, Map<number, Job>][] = [];
      for (const [at, { kind, number }] of steps.entries()) {
        if (kind === 'moment') moments.push([live.moment(), new Map(model)]);
        else if (kind === 'delete') {
          if (!model.delete(number)) continue;
          live.delete(number);
        } else {
          const set = job(`${number} at ${at}`);
          live.set(number, set);
          model.set(number, set);
        }
      }
      const inOrder = [...model].sort(([one], [other]) => one - other).map(([, one]) => one);
      assert.equal([...live], inOrder);
      assert.is(live.size, model.size);
      for (let number = 0; number < NUMBERS; number++) assert.is(live.at(number), model.get(number));
      for (const [moment, then] of moments)
        for (let number = 0; number < NUMBERS; number++) assert.is(moment.at(number), then.get(number));
    }),
    { numRuns: 50 },
  );
});

test('a job keeps its place while it changes and moments are held; the next one of its number begins without', () => {
  const live = new LiveJobs();
  const place = { jobId: 'a', isLeft: false };
  live.set(5, job('a'));
  live.setPlace(5, place);
  live.moment();
  live.set(5, job('a again'));
  live.set(6, job('b'));
  assert.equal([live.placeOf(5), live.placeOf(6), live.placeOf(7_000)], [place, undefined, undefined]);
  live.delete(5);
  live.set(5, job('c'));
  assert.is(live.placeOf(5), undefined);
});

test('a moment of many jobs takes no longer than one of few', () => {
  const state = new State();
  const payload = { job_type: 'eval.suite', job_payload: {}, max_attempts: 3, projection_targets: [] };
  const grown = (jobs: number): { ms: number; bytes: number } => {
    while (state.jobCount < jobs) {
      const seq = state.lastSeq + 1;
      state.apply(event('job.accepted', payload, { seq, job_id: `job-${seq}`, event_id: 'always the same' }), true);
    }
    const begun = performance.now();
    let bytes = 0;
    for (let round = 0; round < 100; round++) bytes = state.capture().summary.replace(/\d+/g, '').length;
    return { ms: (performance.now() - begun) / 100, bytes };
  };
  const [few, many] = [grown(100), grown(200_000)];
  assert.is(many.bytes, few.bytes, 'what is told of the whole does not grow');
  // With a list of the jobs it takes 30 ms.
  assert.ok(many.ms < 3, `${many.ms} ms for 200,000 jobs that wait, ${few.ms} ms for 100`);
});

test.run();

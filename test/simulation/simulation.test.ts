/**
 * The simulation as part of the test suite: 20,000 recoveries after crashes, from a fixed seed, without a violation and
 * without a hole in the table of coverage; that a run can be repeated; that the checker stands for itself. A machine that
 * is busy with other things does as many as it can in the time that a test file has, and says so.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { importsOf, readSources } from '../support/sources.js';
import { Coverage } from './coverage.js';
import { simulate } from './run.js';

const test = suite('simulation');
const RECOVERIES = 20_000;
const LEAST_RECOVERIES = 2_000;
const TIME_LIMIT_MS = 80_000;
const FIRST_SEED = 1_001;

test('the checker shares no code with what it checks', () => {
  const sources = readSources('test/simulation/checker');
  assert.ok(sources.length > 0);
  const shared = sources.flatMap(importsOf).filter(({ to, typesOnly }) => to.startsWith('lib/') && !typesOnly);
  assert.equal(
    shared.map(({ from, to }) => `${from} imports ${to}`),
    [],
  );
});

test('the same seed makes the same run', async () => {
  for (const seed of [7, 8, 9]) {
    const [one, other] = [await simulate(seed), await simulate(seed)];
    assert.is(one.traceHash, other.traceHash);
    assert.is(one.steps, other.steps);
  }
  assert.is.not((await simulate(7)).traceHash, (await simulate(8)).traceHash);
});

test(`${RECOVERIES} recoveries after crashes: nothing that must not happen, and no fault that was not tried`, async () => {
  const coverage = new Coverage();
  const began = performance.now();
  let recoveries = 0;
  let seed = FIRST_SEED;
  // Refusals are many, and their stacks cost more than all the rest.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  for (; recoveries < RECOVERIES && performance.now() - began < TIME_LIMIT_MS; seed++) {
    const result = await simulate(seed);
    assert.is(result.violation, undefined, `make simulate SEED=${seed} RUNS=1`);
    coverage.add(result.coverage);
    recoveries += result.recoveries;
  }
  Error.stackTraceLimit = stackTraceLimit;
  console.log(`${recoveries} recoveries, seeds ${FIRST_SEED} to ${seed - 1}`);
  assert.ok(recoveries >= LEAST_RECOVERIES, `${recoveries} recoveries`);
  if (recoveries >= RECOVERIES) assert.equal(coverage.holes(), []);
});

test.run();

/**
 * Runs the simulation: `make simulate SEED=1 RUNS=1000`. A run has the seed SEED, the next one SEED + 1 and so on, so
 * that any run can be repeated alone.
 *
 *     node dist/test/simulation/main.js [--seed N] [--runs N] [--trace] [--recoveries N] [--until-violation]
 *         [--no-holes]
 *
 * `--recoveries` ends it early, once there were so many. Exit status: 0 all held, 1 an invariant was violated (or, with `--no-holes`, the table of coverage has a hole).
 */
import { parseArgs } from 'node:util';
import { Coverage } from './coverage.js';
import { simulate } from './run.js';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    runs: { type: 'string', default: '100' },
    recoveries: { type: 'string', default: 'Infinity' },
    trace: { type: 'boolean', default: false },
    'until-violation': { type: 'boolean', default: false },
    'no-holes': { type: 'boolean', default: false },
  },
});
const firstSeed = Number(values.seed);
const runs = Number(values.runs);
// Refusals are many, and their stacks cost more than all the rest; one run alone tells them.
if (runs > 1) Error.stackTraceLimit = 0;
const PROGRESS_MS = 5_000;

const coverage = new Coverage();
const totals = { recoveries: 0, crashes: 0, acknowledged: 0, violated: 0, done: 0 };
const began = performance.now();
let toldAt = began;

for (let seed = firstSeed; seed < firstSeed + runs && totals.recoveries < Number(values.recoveries); seed++) {
  const result = await simulate(seed, { keepsTrace: values.trace });
  coverage.add(result.coverage);
  totals.recoveries += result.recoveries;
  totals.crashes += result.crashes;
  totals.acknowledged += result.acknowledged;
  totals.done += 1;
  if (result.trace !== undefined) console.log(result.trace.join('\n'));
  if (result.violation !== undefined) {
    totals.violated += 1;
    console.log(`VIOLATION seed ${seed} runs 1 trace ${result.traceHash}: ${result.violation}`);
    console.log(`  again: make simulate SEED=${seed} RUNS=1     each step: make simulate SEED=${seed} RUNS=1 TRACE=1`);
    if (values['until-violation']) break;
  }
  if (runs === 1) console.log(`seed ${seed}: trace ${result.traceHash}, ${result.steps} steps`);
  if (performance.now() - toldAt < PROGRESS_MS) continue;
  toldAt = performance.now();
  console.log(`  ${totals.done} of ${runs} runs, ${totals.recoveries} recoveries, ${seconds()} s`);
}

console.log(`\n${coverage.table()}\n`);
const holes = coverage.holes();
console.log(
  `${totals.done} runs from seed ${firstSeed}: ${totals.crashes} crashes, ${totals.recoveries} recoveries, ` +
    `${totals.acknowledged} acknowledgements, ${totals.violated} violated, ${holes.length} holes, ${seconds()} s`,
);
if (holes.length > 0 && values['no-holes']) console.log(`holes: ${holes.join(', ')}`);
if (totals.violated > 0 || (values['no-holes'] && holes.length > 0)) process.exitCode = 1;

function seconds(): string {
  return ((performance.now() - began) / 1000).toFixed(1);
}

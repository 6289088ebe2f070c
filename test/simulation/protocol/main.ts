/**
 * Explores the protocol and prints a table; exit status 1 when a result is not the known one.
 *
 *     node dist/test/simulation/protocol/main.js [ablate] [part of a name]
 *
 * `ablate` takes single rules away and prints a shortest counterexample of each.
 */
import { ablations, withoutRule } from './ablations.js';
import { type Exploration, explore } from './explorer.js';
import { runs } from './runs.js';

function row(cells: readonly (string | number)[]): void {
  console.log(`| ${cells.join(' | ')} |`);
}

function verdict({ exhausted, violation }: Exploration): string {
  if (violation) return `VIOLATION: ${violation}`;
  return exhausted ? 'exhausted, holds' : 'bounded, holds so far';
}

function timed(work: () => Exploration): [Exploration, string] {
  const began = performance.now();
  const result = work();
  return [result, ((performance.now() - began) / 1000).toFixed(1)];
}

/** Prints one line; tells when it is not as known. */
function report(name: string, result: Exploration, seconds: string, asKnown: boolean): void {
  row([name, result.states, result.depth, seconds, verdict(result) + (asKnown ? '' : ' (NOT as known)')]);
  result.trace.forEach((did, at) => {
    console.log(`    ${at + 1}. ${did}`);
  });
  if (!asKnown) process.exitCode = 1;
}

function exploreRuns(part: string): number {
  const chosen = runs.filter(({ name }) => name.includes(part));
  for (const run of chosen) {
    const [result, seconds] = timed(() => explore(run.scenario, run.stateLimit));
    const counted = result.states === run.states && result.depth === run.depth;
    report(run.name, result, seconds, counted && !result.violation);
  }
  return chosen.length;
}

function exploreAblations(part: string): number {
  const chosen = ablations.filter(({ name }) => name.includes(part));
  for (const ablation of chosen) {
    const [result, seconds] = timed(() => explore(withoutRule(ablation)));
    report(ablation.name, result, seconds, ablation.found === (result.violation ? result.trace.length : 'holds'));
  }
  return chosen.length;
}

const [first, ...others] = process.argv.slice(2);
const ablate = first === 'ablate';
const part = (ablate ? others[0] : first) ?? '';
row(['run', 'states', 'depth', 'seconds', 'result']);
row(['---', '---', '---', '---', '---']);
const explored = ablate ? exploreAblations(part) : exploreRuns(part);
if (explored === 0) {
  console.error(`No ${ablate ? 'ablation' : 'run'} has "${part}" in its name. Leave the name out to see them all.`);
  process.exitCode = 2;
}

/** `make mutants`: every mistake against its check, and the matrix of what came of it. Exit code 1 when one lives on. */
import { parseArgs } from 'node:util';
import { idMatches, readCatalogue } from '../../spec/conformance/catalogue.js';
import { inLanes } from '../../spec/conformance/waiting.js';
import { type Kill, kill } from './kill.js';
import { allMistakes } from './mistakes/all.js';
import type { Mistake } from './mistakes/mistake.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { lanes: { type: 'string', default: '2' }, wide: { type: 'boolean', default: false } },
});
const wanted = positionals.length === 0 ? '*' : positionals.join(',');
const mistakes = allMistakes.filter(({ check }) => idMatches(check, wanted));
if (mistakes.length === 0) {
  process.stderr.write(`no mistake is there for ${wanted}\n`);
  process.exit(2);
}

const kills = await inLanes(mistakes, Number(values.lanes), async (mistake) => {
  const found = await kill(mistake, values.wide).catch((error: Error) => notRun(mistake, error));
  process.stdout.write(`${lineOf(found)}\n`);
  return found;
});

const alive = kills.filter(({ killed }) => !killed);
const seen = new Set(allMistakes.map(({ check }) => check));
const without = readCatalogue().filter(({ id }) => idMatches(id, wanted) && !seen.has(id));
process.stdout.write(`\n${kills.length - alive.length} of ${kills.length} mistakes killed by their own check\n`);
for (const { check, told } of alive) process.stdout.write(`  lives: ${check} (${told})\n`);
for (const { id, mutant } of without) process.stdout.write(`  no mistake yet: ${id} (${mutant})\n`);
process.exit(alive.length === 0 ? 0 : 1);

/** A run that came to no report says nothing for any check. */
function notRun({ check, what }: Mistake, error: Error): Kill {
  return { check, what, made: 0, verdict: 'no report', killed: false, others: [], told: error.message };
}

function shortened(text = ''): string {
  return text.length > 160 ? `${text.slice(0, 160)}…` : text;
}

function lineOf({ check, what, made, verdict, killed, others }: Kill): string {
  const also = others.map(
    ({ id, expected, observed }) => `\n          also ${id}: ${expected} | ${shortened(observed)}`,
  );
  return `${killed ? 'killed' : 'ALIVE '}  ${check.padEnd(42)} ${verdict.padEnd(10)} made ${String(made).padStart(4)}  ${what}${also.join('')}`;
}

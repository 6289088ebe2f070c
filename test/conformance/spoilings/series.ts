/**
 * `make spoilings`: a proxy before a correct daemon spoils one thing after the other, and the program has to find each, by
 * the right check. At first only the checks run that bring about what is spoiled; what they do not find is held against
 * all that need no restart; what was never made only with `--wide`. Exit code 1 when something is not as it should be.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { idMatches } from '../../../spec/conformance/catalogue.js';
import { inLanes } from '../../../spec/conformance/waiting.js';
import { allSpoilings } from './all.js';
import { type Judged, judgeSpoiling } from './judge.js';
import { nameOf, type Spoiling } from './spoiling.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    lanes: { type: 'string', default: '8' },
    /** A line for each is added here, and those that stand here already are left out. */
    out: { type: 'string' },
    /** Names of those that are meant, one a line. */
    names: { type: 'string' },
    list: { type: 'boolean', default: false },
    /** A second look also at what was never made: it takes hours, and finds little. */
    wide: { type: 'boolean', default: false },
    /** `1/3`: every third one, from the first on. */
    shard: { type: 'string', default: '1/1' },
  },
});

type Word = 'found' | 'green' | 'never made' | 'LIVES' | 'WRONG' | 'RED' | 'NO RUN';
type Line = Judged & { readonly word: Word };
const SHOWN_COMPLAINTS = 6;
const good: readonly Word[] = ['found', 'green', 'never made'];

const wanted = selected();
if (values.list) {
  for (const each of wanted) process.stdout.write(`${nameOf(each)}\t${each.right.join(' ')}\n`);
} else {
  process.exitCode = await series();
}

function selected(): Spoiling[] {
  const [place = 1, shards = 1] = values.shard.split('/').map(Number);
  const linesOf = (path: string | undefined): string[] =>
    path !== undefined && existsSync(path) ? readFileSync(path, 'utf8').split('\n') : [];
  const done = new Set(linesOf(values.out).map((line) => line.split('\t')[1]));
  const names = new Set(linesOf(values.names));
  return allSpoilings
    .filter((_, index) => index % shards === place - 1)
    .filter((each) => positionals.length === 0 || positionals.some((pattern) => idMatches(nameOf(each), pattern)))
    .filter((each) => values.names === undefined || names.has(nameOf(each)))
    .filter((each) => !done.has(nameOf(each)));
}

async function series(): Promise<number> {
  const lines = await inLanes(wanted, Number(values.lanes), async (spoiling) => {
    const line = await patiently(spoiling);
    const text = textOf(spoiling, line);
    process.stdout.write(text);
    if (values.out !== undefined) appendFileSync(values.out, text);
    return line;
  });
  const bad = lines.filter(({ word }) => !good.includes(word));
  const unmade = lines.filter(({ word }) => word === 'never made').length;
  process.stdout.write(`\n${lines.length - bad.length} of ${lines.length} as they should be, ${unmade} never made\n`);
  for (const { word, name, told } of bad) process.stdout.write(`  ${word}  ${name}: ${told}\n`);
  return bad.length === 0 ? 0 : 1;
}

async function patiently(spoiling: Spoiling): Promise<Line> {
  const first = await tried(spoiling, spoiling.probe);
  const isSettled = first.word === 'found' || (first.word === 'never made' && !values.wide);
  return isSettled || spoiling.probe.includes('*') ? first : tried(spoiling, ['*']);
}

async function tried(spoiling: Spoiling, only: readonly string[]): Promise<Line> {
  try {
    const judged = await judgeSpoiling(spoiling, only);
    return { ...judged, word: wordFor(spoiling, judged) };
  } catch (error) {
    const told = error instanceof Error ? error.message : String(error);
    return {
      name: nameOf(spoiling),
      made: 0,
      complaints: [],
      found: false,
      rightly: false,
      told,
      seconds: 0,
      word: 'NO RUN',
    };
  }
}

function wordFor({ right }: Spoiling, { made, found, rightly }: Judged): Word {
  if (right.length === 0) return found ? 'RED' : 'green';
  if (made === 0) return 'never made';
  if (!found) return 'LIVES';
  return rightly ? 'found' : 'WRONG';
}

function textOf({ right }: Spoiling, { word, name, made, seconds, complaints, told }: Line): string {
  const more = complaints.length - SHOWN_COMPLAINTS;
  const shown = complaints.slice(0, SHOWN_COMPLAINTS).join(', ') + (more > 0 ? ` and ${more} more` : '');
  const wantedBy = word === 'found' ? '' : `right: ${right.join(' ')}`;
  return `${[word, name, `made ${made}`, `${seconds} s`, shown, wantedBy, told].join('\t')}\n`;
}

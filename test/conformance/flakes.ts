/**
 * `make conformance-flakes`: the same run again and again against correct daemons, several at a time; whatever one of them
 * says against a daemon is a mistake of the program. Each run has a daemon, a seed and a line of its own; what a bad one
 * found is printed, and kept whole where --keep names a folder. Exit code 1 where any was bad.
 *
 *   node dist/test/conformance/flakes.js [--runs N] [--lanes N] [--mode profile|url|both] [--keep FOLDER]
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { inLanes } from '../../spec/conformance/waiting.js';
import { complaints, type Judged, judged, OWN_PROFILE } from './program.js';
import { judgedByUrl } from './varied.js';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '50' },
    lanes: { type: 'string', default: '3' },
    mode: { type: 'string', default: 'both' },
    keep: { type: 'string' },
  },
});
const modes = { profile: ['profile'], url: ['url'], both: ['profile', 'url'] }[values.mode];
if (modes === undefined) throw new Error('--mode is profile, url or both');

interface Row {
  readonly mode: string;
  readonly seconds: number;
  readonly said: readonly string[];
}

const startedAt = Date.now();
const rows = await inLanes(Array.from({ length: Number(values.runs) }), Number(values.lanes), async (_, index) => {
  const mode = modes[index % modes.length] as string;
  const begun = Date.now();
  const said = await run(mode, String(index)).catch((error: Error) => [`no report: ${error.message}`]);
  const row: Row = { mode, seconds: (Date.now() - begun) / 1_000, said };
  const load = (loadavg()[0] ?? 0).toFixed(1);
  const verdict = said.length === 0 ? 'good' : `BAD  ${said.length} said`;
  process.stdout.write(
    `${String(index + 1).padStart(3)}  ${mode.padEnd(7)}  ${timeOf(row)}  load ${load}  ${verdict}\n`,
  );
  for (const each of said) process.stdout.write(`       ${each}\n`);
  return row;
});
process.stdout.write(`\n${summaryOf(rows)}`);
process.exit(rows.every(({ said }) => said.length === 0) ? 0 : 1);

async function run(mode: string, seed: string): Promise<readonly string[]> {
  const words = ['--quiet', '--seed', seed];
  const found = mode === 'url' ? await judgedByUrl('', words) : await judged('--profile', OWN_PROFILE, ...words);
  // What an address can't show is not tested there, and nothing else.
  const isWanted = (each: string): boolean => mode === 'profile' || !/^not-tested .* it needs /.test(each);
  const said = complaints(found.report).filter(isWanted);
  if (said.length > 0) keep(`${mode}-${seed}`, found);
  return said;
}

function keep(name: string, { file, stdout }: Judged): void {
  if (values.keep === undefined) return;
  mkdirSync(values.keep, { recursive: true });
  writeFileSync(join(values.keep, `${name}.json`), file('report.json'));
  writeFileSync(join(values.keep, `${name}.txt`), stdout);
}

function timeOf({ seconds }: Row): string {
  return `${seconds.toFixed(1).padStart(6)} s`;
}

function summaryOf(all: readonly Row[]): string {
  const lines = modes?.map((mode) => {
    const own = all.filter((row) => row.mode === mode);
    const times = own.map(({ seconds }) => seconds).sort((a, b) => a - b);
    const [least, middle, most] = [times[0], times[times.length >> 1], times.at(-1)].map((each) => each?.toFixed(1));
    const good = own.filter(({ said }) => said.length === 0).length;
    return `${mode}: ${good} of ${own.length} good; ${least} to ${most} s, ${middle} s in the middle`;
  });
  const byCheck = new Map<string, number>();
  for (const each of all.flatMap(({ said }) => said)) {
    const name = each.split(' | ').slice(0, 2).join(' ');
    byCheck.set(name, (byCheck.get(name) ?? 0) + 1);
  }
  const flaky = [...byCheck].map(([name, count]) => `  ${count} times ${name}`);
  const minutes = ((Date.now() - startedAt) / 60_000).toFixed(1);
  const place = `${cpus().length} cores, ${values.lanes} at a time, ${minutes} minutes`;
  return `${[...(lines ?? []), ...flaky, place].join('\n')}\n`;
}

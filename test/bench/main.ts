/**
 * `make bench`: every figure beside its baseline of the same run. `BENCH_JSON=FILE` writes the rows there too,
 * `BENCH_ROWS="part of a name"` measures some families alone, `BENCH_ROUNDS` (default 3) and `BENCH_SECONDS` (default 3)
 * say how long, `BENCH_JOBS` (default 40,000) how many jobs are run to their end, `BENCH_EVENTS` (default a million) how
 * large a ledger; `BENCH_FOLDER` names the disk that is measured (default: the temporary folder).
 */
import { writeFileSync } from 'node:fs';
import { machineFacts, machineLine } from './machine.js';
import { type JudgedRow, judge, type Row, tableOf } from './row.js';
import { acceptRows } from './rows/accepts.js';
import { healthRow, statusRow } from './rows/answers.js';
import { jobRows } from './rows/jobs.js';
import { millionRows } from './rows/million.js';
import { submitRow } from './rows/submit.js';

const rounds = Number(process.env['BENCH_ROUNDS'] ?? 3);
const jobs = Number(process.env['BENCH_JOBS'] ?? 40_000);
const seconds = Number(process.env['BENCH_SECONDS'] ?? 3);
const events = Number(process.env['BENCH_EVENTS'] ?? 1_000_000);

const families: Readonly<Record<string, () => Promise<Row[]>>> = {
  accepts: () => acceptRows(rounds, seconds),
  submit: async () => [await submitRow(rounds)],
  jobs: () => jobRows(rounds, seconds, jobs),
  status: async () => [await statusRow(rounds, seconds)],
  million: () => millionRows(rounds, events),
  health: async () => [await healthRow(rounds, seconds)],
};

const wanted = process.env['BENCH_ROWS'] ?? '';
const facts = machineFacts();
const rows: JudgedRow[] = [];
for (const [name, measure] of Object.entries(families)) {
  if (!name.includes(wanted)) continue;
  process.stderr.write(`measuring: ${name}\n`);
  try {
    rows.push(...(await measure()).map(judge));
  } catch (error) {
    // What the others measured stands all the same.
    process.stderr.write(`${name} could not be measured: ${error instanceof Error ? error.stack : String(error)}\n`);
    process.exitCode = 1;
  }
}
process.stdout.write(`${machineLine(facts)}\n\n${tableOf(rows)}`);
const file = process.env['BENCH_JSON'];
if (file !== undefined)
  writeFileSync(file, `${JSON.stringify({ machine: facts, rounds, seconds, rows }, undefined, 2)}\n`);

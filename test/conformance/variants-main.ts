/**
 * Prints how the program judges each way of doing what the contract leaves open, alone and together. Longer than the
 * tests of every day: each variant by its address, then whole runs that start the daemon.
 *
 *   node dist/test/conformance/variants-main.js [part of a name …]
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { WrittenProfile } from './own-profile.js';
import { complaints, type Judged } from './program.js';
import { allVariants, latency, wholeSeconds } from './variants/all.js';
import { judgedByProfile, judgedByUrl, use } from './varied.js';

const LONG_LEASE_MS = 6_000;
const LONG_HEARTBEAT_MS = 2_000;

/** Three times as long as usual. */
function withLongLeases(profile: WrittenProfile, folder: string): void {
  Object.assign(profile, { lease_ms: LONG_LEASE_MS, heartbeat_ms: LONG_HEARTBEAT_MS });
  const path = join(folder, 'agentopsd', 'repository', '.agents', 'config.yaml');
  const text = readFileSync(path, 'utf8')
    .replace(/lease_seconds: [\d.]+/, `lease_seconds: ${LONG_LEASE_MS / 1_000}`)
    .replace(/heartbeat_seconds: [\d.]+/, `heartbeat_seconds: ${LONG_HEARTBEAT_MS / 1_000}`);
  writeFileSync(path, text);
}

interface Row {
  readonly name: string;
  readonly run: () => Promise<Judged>;
  readonly verdict: 'CONFORMANT' | 'INCOMPLETE';
}

const byUrl = (name: string, run: Row['run']): Row => ({ name: `${name}, by its address`, run, verdict: 'INCOMPLETE' });
const whole = (name: string, run: Row['run']): Row => ({ name: `${name}, whole`, run, verdict: 'CONFORMANT' });

const rows: readonly Row[] = [
  ...allVariants.map(({ name }) => byUrl(name, () => judgedByUrl(name, []))),
  byUrl('a server that was used', () => judgedByUrl('', [], use)),
  byUrl(latency.name, () => judgedByUrl(latency.name, [])),
  whole('all at once', () => judgedByProfile('all', [])),
  whole(latency.name, () => judgedByProfile(latency.name, [])),
  whole('longer leases', () => judgedByProfile('', [], withLongLeases)),
  whole(`longer leases and ${wholeSeconds.name}`, () => judgedByProfile(wholeSeconds.name, [], withLongLeases)),
];

const wanted = process.argv.slice(2);
const chosen = rows.filter(({ name }) => wanted.length === 0 || wanted.some((part) => name.includes(part)));
if (chosen.length === 0) {
  process.stderr.write(`no variant is called ${wanted.join(' or ')}; there are:\n`);
  for (const { name } of rows) process.stderr.write(`  ${name}\n`);
  process.exit(2);
}

let bad = 0;
for (const { name, run, verdict } of chosen) {
  const startedAt = Date.now();
  const { report } = await run();
  const said = complaints(report).filter((each) => verdict === 'CONFORMANT' || !each.startsWith('not-tested'));
  const isGood = said.length === 0 && Object.values(report.levels).every((each) => each === verdict);
  if (!isGood) bad += 1;
  const seconds = ((Date.now() - startedAt) / 1_000).toFixed(1);
  process.stdout.write(
    `${isGood ? 'ok  ' : 'BAD '} ${name.padEnd(44)} ${String(report.totals.pass).padStart(4)} passed  ${seconds} s\n`,
  );
  for (const each of said) process.stdout.write(`       ${each}\n`);
}
process.stdout.write(`\n${chosen.length - bad} of ${chosen.length} variants are judged as what they are: correct\n`);
process.exit(bad === 0 ? 0 : 1);

#!/usr/bin/env node
/** `jobspec-conformance`: judges a JobSpec v0 runtime from outside. */
import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type CatalogueEntry, readCatalogue } from './catalogue.js';
import { allChecks } from './checks/all.js';
import { type Arguments, argumentsOf, usage } from './cli/arguments.js';
import { listed } from './cli/list.js';
import type { Profile } from './profile.js';
import { profileOf, UsageError } from './read-profile.js';
import { redactor } from './redaction.js';
import { progressLine, summary } from './report/console.js';
import { reportOf } from './report/report.js';
import { writeReport } from './report/write.js';
import { Interrupted, run, Unreachable } from './run/run.js';
import { selectChecks } from './run/selection.js';
import { suiteFile } from './suite-files.js';
import { onlyLoopback } from './target/loopback.js';
import { exitCodes } from './verdict.js';

async function main(words: readonly string[]): Promise<number> {
  const given = argumentsOf(words);
  if (given.help) return print(usage);
  if (given.version) return print(`${versionOf()}\n`);
  const catalogue = readCatalogue().filter(({ level }) => given.level === undefined || level === given.level);
  if (given.list) return print(listed(catalogue, given.json));
  const profile = profileOf({
    profilePath: given.profile,
    url: given.url,
    tokenEnv: given.tokenEnv,
    environment: process.env,
    checkIds: readCatalogue().map(({ id }) => id),
  });
  if (!given.ownsTarget && !onlyLoopback(profile.baseUrl)) {
    throw new UsageError(
      `${profile.baseUrl} is not this machine: jobs are submitted and cancelled there, so say --i-own-this-target`,
    );
  }
  return judge(given, profile, catalogue);
}

async function judge(given: Arguments, profile: Profile, catalogue: readonly CatalogueEntry[]): Promise<number> {
  const claimed = given.level === undefined ? profile.claims : [given.level];
  const entries = catalogue.filter(({ level }) => claimed.includes(level));
  const selected = selectChecks(entries, allChecks, given.only);
  if (selected.length === 0) throw new UsageError(`--only ${given.only}: no check of the claimed levels is called so`);
  const seed = given.seed ?? String(randomInt(1_000_000_000));
  const startedAt = Date.now();
  const result = await run({
    profile: { ...profile, claims: claimed },
    selected,
    seed,
    interrupted: interruption(),
    progress: (done, verdict, count) => {
      if (!given.quiet) print(`${progressLine(done, verdict, count, selected.length)}\n`);
    },
  });
  const report = reportOf({ profile, catalogue: entries, claimed, result, seed, version: versionOf(), startedAt });
  print(summary(report));
  if (given.report !== undefined) {
    const [first, ...others] = writeReport(resolve(given.report), report);
    print(`written: ${[first, ...others].join(', ')}\n`);
  }
  return report.exit_code;
}

function print(text: string): number {
  process.stdout.write(text);
  return exitCodes.conformant;
}

/** This program is part of the package beside it. */
function versionOf(): string {
  const { version } = JSON.parse(readFileSync(suiteFile('../../package.json'), 'utf8')) as { version: string };
  return version;
}

/** Everything that is told has no secret in it, whatever went wrong. */
function told(error: unknown): string {
  const secrets = Object.entries(process.env).filter(([name]) => /token|secret|password/i.test(name));
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return redactor(secrets.map(([, value]) => value))(text);
}

function codeOf(error: unknown): number {
  if (error instanceof UsageError || error instanceof Unreachable) {
    process.stderr.write(`jobspec-conformance: ${error.message}\n`);
    return exitCodes.usage;
  }
  if (error instanceof Interrupted) {
    process.stderr.write(`jobspec-conformance: ${error.message}\n`);
    return exitCodes.interrupted;
  }
  process.stderr.write(`jobspec-conformance: a fault of this program, not of the target\n${told(error)}\n`);
  return exitCodes.ownError;
}

/** The first signal lets the run clean up, the second one does not. */
function interruption(): Promise<unknown> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => {
        process.once(signal, () => process.exit(exitCodes.interrupted));
        resolve(signal);
      });
    }
  });
}

process.exitCode = await main(process.argv.slice(2)).catch(codeOf);
// What an interrupted check was doing ends here.
if (process.exitCode === exitCodes.interrupted) process.exit();

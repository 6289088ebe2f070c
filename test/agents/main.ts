/**
 * `make test-agents`: the two real CLIs, as npm serves them, run by the built daemon against a fake model on loopback, in
 * a network namespace that has no other way out. After each case every process is counted.
 *
 * Arguments: parts of the names of cases, or `claude`, `codex`; none: all. AGENT_CLIS=FOLDER uses CLIs that are installed
 * there. What the machine can't do is skipped aloud, and fails with --no-skips.
 */
import { skip } from '../support/skip.js';
import { type Case, cases } from './cases.js';
import { untilNobody } from './census.js';
import {
  type CliName,
  cliNames,
  installClis,
  isInside,
  programsFolder,
  runInside,
  versionOf,
  waysOut,
  whyNotHere,
} from './machine.js';
import { Stage } from './stage.js';

const NOBODY_MS = 10_000;
const words = process.argv.slice(2).filter((word) => word !== '--no-skips');

function skipped(reason: string): number {
  skip(`make test-agents: ${reason}`);
  return process.argv.includes('--no-skips') ? 1 : 0;
}

async function outside(): Promise<number> {
  const lacking = whyNotHere();
  if (lacking !== undefined) return skipped(lacking);
  const installed = installClis();
  if (typeof installed === 'string') return skipped(installed);
  try {
    return await runInside(installed.programs, new URL(import.meta.url), words);
  } finally {
    installed.remove();
  }
}

async function inside(): Promise<number> {
  const programs = programsFolder();
  const out = waysOut();
  process.stdout.write(`network: lo${out.length === 0 ? ' alone' : `, ${out.join(', ')}`}\n`);
  if (out.length > 0) return 1;
  let passed = 0;
  let failed = 0;
  for (const cli of cliNames.filter((name) => !cliNames.some((one) => words.includes(one)) || words.includes(name))) {
    process.stdout.write(`\n${cli}: ${versionOf(cli, programs)}\n`);
    for (const each of cases.filter(isWanted)) (await attempt(each, cli, programs)) ? passed++ : failed++;
  }
  process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
  return failed === 0 && passed > 0 ? 0 : 1;
}

function isWanted({ name }: Case): boolean {
  const parts = words.filter((word) => !(cliNames as string[]).includes(word));
  return parts.length === 0 || parts.some((part) => name.includes(part));
}

async function attempt(each: Case, cli: CliName, programs: string): Promise<boolean> {
  const stage = await Stage.open(cli, programs, each.refused === true ? { refused: true } : {});
  const startedMs = performance.now();
  try {
    const came = await each.try(stage, cli);
    const left = await untilNobody(stage.room.folder, stage.pids, NOBODY_MS);
    if (left.length > 0) throw new Error(`processes left: ${JSON.stringify(left)}`);
    tell('ok  ', each, startedMs, `${came}; 0 processes left`);
    return true;
  } catch (error) {
    tell('FAIL', each, startedMs, textOf(error));
    return false;
  } finally {
    await stage.close();
  }
}

/** The stack of a failed assertion does not hold what it says. */
function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return [error.message, (error as { details?: string }).details ?? '', error.stack ?? ''].join('\n');
}

function tell(word: string, { name }: Case, startedMs: number, text: string): void {
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  process.stdout.write(`${word} ${name} (${seconds} s)\n       ${text.replaceAll('\n', '\n       ')}\n`);
}

process.exit(isInside() ? await inside() : await outside());

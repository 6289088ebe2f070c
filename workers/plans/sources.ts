/**
 * Where plans stand: `.beads/issues.jsonl`, one issue a line, and where that file is not there the front matter of
 * `.agents/plans/*.md`. What can't be read becomes a finding with its place; nothing that a plan holds ends the job.
 */
import { lstat } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { isJsonObject } from '../../lib/base/json.js';
import { failure } from '../failure.js';
import { walkFiles } from '../kit/folder-walk.js';
import { frontMatterOf, readFrontMatter } from '../kit/pages.js';
import { told } from '../kit/payload.js';
import { readRegularFile, resolveInside, type SourcePath } from '../kit/sources.js';
import { type PlanEntry, planEntry, type ReadEntry } from './entry.js';
import type { PlanFinding } from './findings.js';
import { plansLimits } from './limits.js';

export const ISSUES_FILE = '.beads/issues.jsonl';
export const PLANS_FOLDER = '.agents/plans';

export interface ReadPlans {
  readonly source: string;
  readonly entries: readonly PlanEntry[];
  readonly findings: readonly PlanFinding[];
}

const NEWLINE = 0x0a;
/** Between two turns of the event loop: the thread has to show that it lives, and to hear that it is to stop. */
const BYTES_A_TURN = 1_048_576;

/** @throws a failure `request_rejected` when the issue file is there and can't be read as a whole */
export async function readPlans(root: string, signal: AbortSignal): Promise<ReadPlans> {
  const facts = await lstat(join(root, ISSUES_FILE)).catch(() => undefined);
  return facts === undefined ? readPlanFolder(root, signal) : readIssues(root, signal);
}

async function readIssues(root: string, signal: AbortSignal): Promise<ReadPlans> {
  const file = await resolveInside(root, ISSUES_FILE, ISSUES_FILE);
  const read = await readRegularFile(root, file.absolute, plansLimits.issuesBytes);
  if ('reason' in read)
    throw failure('request_rejected', `${ISSUES_FILE}: ${read.reason}; it has to be a file of issues`);
  const entries: PlanEntry[] = [];
  const findings: PlanFinding[] = [];
  let line = 0;
  let taken = 0;
  let sinceTurn = 0;
  for (const bytes of linesOf(read.bytes)) {
    line += 1;
    sinceTurn += bytes.length + 1;
    if (sinceTurn > BYTES_A_TURN) {
      sinceTurn = 0;
      await nextTurn();
      signal.throwIfAborted();
    }
    const read = issueOf(bytes, line);
    if (read === undefined) continue;
    if ('problem' in read) findings.push({ kind: 'bad_line', source: ISSUES_FILE, line, message: read.problem });
    else take(read, entries, findings);
    taken += 1;
    if (taken > plansLimits.entriesAtMost)
      throw failure('request_rejected', `${ISSUES_FILE}: more than ${plansLimits.entriesAtMost} issues`);
  }
  return { source: ISSUES_FILE, entries, findings };
}

function take({ entry, leftOut }: ReadEntry, entries: PlanEntry[], findings: PlanFinding[]): void {
  entries.push(entry);
  if (leftOut === 0) return;
  const { source, line } = entry;
  const message = `${told(entry.id)} depends on more than ${plansLimits.dependenciesAtMost}: ${leftOut} are left out`;
  findings.push({ kind: 'left_out', source, ...(line === undefined ? {} : { line }), message });
}

function* linesOf(bytes: Buffer): Generator<Buffer> {
  for (let from = 0; from < bytes.length; ) {
    const to = bytes.indexOf(NEWLINE, from);
    yield bytes.subarray(from, to < 0 ? bytes.length : to);
    from = to < 0 ? bytes.length : to + 1;
  }
}

/** Undefined for an empty line. */
function issueOf(bytes: Buffer, line: number): ReadEntry | { readonly problem: string } | undefined {
  if (bytes.length > plansLimits.lineBytes) return { problem: `longer than ${plansLimits.lineBytes} bytes` };
  const text = textOf(bytes);
  if (text === undefined) return { problem: 'not a text in UTF-8' };
  if (text.trim() === '') return undefined;
  let facts: unknown;
  try {
    facts = JSON.parse(text);
  } catch {
    return { problem: 'no JSON' };
  }
  return isJsonObject(facts) ? planEntry(facts, { source: ISSUES_FILE, line, bytes }) : { problem: 'no JSON object' };
}

async function readPlanFolder(root: string, signal: AbortSignal): Promise<ReadPlans> {
  const walked = await walkFiles({
    root,
    folder: PLANS_FOLDER,
    bounds: { files: plansLimits.plansAtMost, entries: plansLimits.folderEntries, depth: 1 },
    takes: (path) => path.endsWith('.md'),
    enters: () => false,
    signal,
  });
  const { plansAtMost, folderEntries } = plansLimits;
  if (walked.cut) {
    const message = `${PLANS_FOLDER}: more than ${plansAtMost} plans, or ${folderEntries} entries of any kind; move some of them elsewhere`;
    throw failure('request_rejected', message);
  }
  const findings: PlanFinding[] = walked.skipped.map(({ source, reason }) => ({
    kind: 'left_out',
    source,
    message: reason,
  }));
  const entries: PlanEntry[] = [];
  for (const file of walked.files) {
    signal.throwIfAborted();
    const read = await planOf(root, file);
    if ('problem' in read) findings.push({ kind: 'bad_plan', source: file.path, message: read.problem });
    else take(read, entries, findings);
  }
  return { source: PLANS_FOLDER, entries, findings };
}

async function planOf(root: string, file: SourcePath): Promise<ReadEntry | { readonly problem: string }> {
  const read = await readRegularFile(root, file.absolute, plansLimits.planBytes);
  if ('reason' in read) return { problem: read.reason };
  const text = textOf(read.bytes);
  if (text === undefined) return { problem: 'not a text in UTF-8' };
  const matter = frontMatterOf(text);
  if (matter === undefined)
    return { problem: 'it has no front matter: begin it with a line ---, id: …, and a line ---' };
  const facts = readFrontMatter(matter.front);
  if (facts === undefined) return { problem: 'its front matter is no object of YAML, too long, or uses aliases' };
  const heading = /^# +(.+)$/m.exec(matter.body.slice(0, plansLimits.lineBytes))?.[1];
  const named = { id: posix.basename(file.path, '.md'), ...(heading === undefined ? {} : { title: heading }) };
  return planEntry(facts, { source: file.path, bytes: read.bytes }, named);
}

function textOf(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

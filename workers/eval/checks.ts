/** Holds what a case left against what it expects. Nothing that a case does makes a check throw: it fails, and is told. */
import { createHash } from 'node:crypto';
import { lstat, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { canonicalJson } from '../../lib/base/canonical.js';
import type { Json } from '../../lib/base/json.js';
import { findPattern } from '../kit/bounded-pattern.js';
import { insideRoot, readRegularFile } from '../kit/sources.js';
import { evalLimits } from './limits.js';
import type { CheckResult, Expectations, FileChecks, TextChecks } from './model.js';

/** What a run left. */
export interface Evidence {
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  /** Absolute, real path of the copy. */
  readonly copy: string;
}

/** In the order of exit code, streams, files, JSON; of each the order in which the suite names them. */
export async function checkAll(expect: Expectations, evidence: Evidence): Promise<CheckResult[]> {
  const { exitCode, stdout, stderr, copy } = evidence;
  const results = [
    result(
      `exit_code equals ${expect.exit_code}`,
      exitCode === expect.exit_code,
      () => String(exitCode ?? 'none'),
      copy,
    ),
    ...checkText('stdout', expect.stdout, stdout, copy),
    ...checkText('stderr', expect.stderr, stderr, copy),
  ];
  for (const [path, checks] of Object.entries(expect.files ?? {}))
    results.push(...(await checkFile(path, checks, copy)));
  for (const { file, pointer, equals } of expect.json ?? []) {
    const text = file === undefined ? stdout : await readInCopy(copy, file);
    const label = `${file === undefined ? 'stdout' : `json ${quoted(file)}`} at ${quoted(pointer)} equals ${shortened(canonicalJson(equals))}`;
    const found = typeof text === 'string' ? valueAt(text, pointer) : text;
    const holds = 'value' in found && canonicalJson(found.value) === canonicalJson(equals);
    results.push(result(label, holds, () => ('value' in found ? canonicalJson(found.value) : found.problem), copy));
  }
  return results;
}

async function checkFile(path: string, checks: FileChecks, copy: string): Promise<CheckResult[]> {
  const label = `file ${quoted(path)}`;
  const there = await lstat(join(copy, path)).catch(() => undefined);
  if (checks.absent === true) return [result(`${label} is absent`, there === undefined, () => 'it is there', copy)];
  const { exists, sha256, ...texts } = checks;
  const results: CheckResult[] = [];
  if (exists === true) results.push(result(`${label} exists`, there !== undefined, () => 'it is not there', copy));
  if (sha256 === undefined && Object.keys(texts).length === 0) return results;
  const bytes = await readBytes(copy, path);
  const problem = 'problem' in bytes ? bytes.problem : undefined;
  const text = 'problem' in bytes ? undefined : bytes.bytes.toString('utf8');
  if (sha256 !== undefined) {
    const got = 'problem' in bytes ? bytes.problem : createHash('sha256').update(bytes.bytes).digest('hex');
    results.push(result(`${label} has sha256 ${sha256}`, got === sha256, () => got, copy));
  }
  return [...results, ...checkText(label, texts, text, copy, problem)];
}

function checkText(
  label: string,
  { contains, lacks, matches, equals }: TextChecks = {},
  text: string | undefined,
  copy: string,
  problem = '',
): CheckResult[] {
  const check = (what: string, holds: (text: string) => boolean): CheckResult =>
    result(`${label} ${what}`, text !== undefined && holds(text), () => text ?? problem, copy);
  const results = [
    ...listed(contains).map((part) => check(`contains ${quoted(part)}`, (whole) => whole.includes(part))),
    ...listed(lacks).map((part) => check(`lacks ${quoted(part)}`, (whole) => !whole.includes(part))),
  ];
  if (matches !== undefined) {
    const found = text === undefined ? { problem } : findPattern(matches, text, evalLimits.patternMs);
    const told = () => ('problem' in found ? found.problem : (text ?? problem));
    results.push(result(`${label} matches ${quoted(matches)}`, 'found' in found && found.found, told, copy));
  }
  if (equals !== undefined) results.push(check(`equals ${quoted(equals)}`, (whole) => whole === equals));
  return results;
}

function listed(texts: string | readonly string[] | undefined): readonly string[] {
  return texts === undefined ? [] : typeof texts === 'string' ? [texts] : texts;
}

function result(expected: string, holds: boolean, observed: () => string, copy: string): CheckResult {
  return holds ? { expected, holds } : { expected, holds, observed: shortened(withoutPlace(observed(), copy)) };
}

/** The folder's name has the job in it: the report says the same for every job. */
export function withoutPlace(text: string, copy: string): string {
  return text.replaceAll(copy, '<copy>').replaceAll(temporaryFolderOf(copy), '<tmp>');
}

/** What a command gets as its TMPDIR. */
export function temporaryFolderOf(copy: string): string {
  return join(dirname(copy), 'tmp');
}

type Problem = { readonly problem: string };

async function readInCopy(copy: string, path: string): Promise<string | Problem> {
  const read = await readBytes(copy, path);
  return 'problem' in read ? read : read.bytes.toString('utf8');
}

async function readBytes(copy: string, path: string): Promise<{ readonly bytes: Buffer } | Problem> {
  const real = await realpath(join(copy, path)).catch(() => undefined);
  if (real === undefined) return { problem: 'it is not there' };
  if (insideRoot(copy, real) === undefined) return { problem: 'it leads out of the copy' };
  const read = await readRegularFile(copy, real, evalLimits.lookedAtBytes).catch(() => ({
    reason: 'exchanged meanwhile',
  }));
  return 'reason' in read ? { problem: `it is ${read.reason}` } : read;
}

/** The value that an RFC 6901 pointer names in a JSON text. */
function valueAt(text: string, pointer: string): { readonly value: Json } | Problem {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { problem: `no JSON: ${text}` };
  }
  for (const part of pointer.split('/').slice(1)) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
    const known = Array.isArray(value) ? /^(?:0|[1-9]\d*)$/.test(name) : typeof value === 'object' && value !== null;
    if (!known || !Object.hasOwn(value as object, name)) return { problem: `nothing stands at ${quoted(pointer)}` };
    value = (value as Record<string, unknown>)[name];
  }
  return { value: value as Json };
}

function quoted(text: string): string {
  return shortened(JSON.stringify(text));
}

function shortened(text: string): string {
  const { observedCharacters } = evalLimits;
  return (text.length <= observedCharacters ? text : `${text.slice(0, observedCharacters)}…`).toWellFormed();
}

/** What makes a suite one that can be run: its schema, and what a schema can't say. Each problem at its own line. */
import { readFileSync } from 'node:fs';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import type { Json, JsonObject } from '../../lib/base/json.js';
import type { Place, ProblemList } from '../../lib/model/configuration-problems.js';
import type { Expectations, FileChecks } from './model.js';

const SCHEMA_FILE = new URL('../../../spec/eval-suite.schema.json', import.meta.url);

let compiled: ValidateFunction | undefined;

/** Adds what is wrong to `problems`. */
export function checkSuite(suite: JsonObject, problems: ProblemList): void {
  compiled ??= compile();
  if (!compiled(suite)) {
    for (const error of compiled.errors ?? []) problems.addSchemaError([], error);
    return;
  }
  const cases = suite['cases'] as JsonObject[];
  refuseTwice(cases, problems);
  for (const [at, each] of cases.entries()) checkCase(each, ['cases', at], problems);
  const folder = suite['skill_folder'];
  if (typeof folder === 'string') checkPath(folder, ['skill_folder'], problems);
}

function compile(): ValidateFunction {
  const ajv = new Ajv2020({ strict: true, allErrors: true, allowUnionTypes: true, verbose: true });
  return ajv.compile(JSON.parse(readFileSync(SCHEMA_FILE, 'utf8')) as JsonObject);
}

function refuseTwice(cases: readonly JsonObject[], problems: ProblemList): void {
  const seen = new Map<Json, number>();
  for (const [at, { id }] of cases.entries()) {
    const first = seen.get(id as Json);
    if (first === undefined) seen.set(id as Json, at);
    else
      problems.add(['cases', at, 'id'], `cases[${at}].id is the same as that of cases[${first}]: each needs its own`);
  }
}

function checkCase(each: JsonObject, place: Place, problems: ProblemList): void {
  const name = `cases[${String(place[1])}]`;
  const { command, prompt, expect } = each;
  if ((command === undefined) === (prompt === undefined)) problems.add(place, `${name} needs either command or prompt`);
  if (Array.isArray(command) && String(command[0]).trim() === '')
    problems.add([...place, 'command', 0], `${name}.command needs a program`);
  if (prompt !== undefined)
    for (const member of ['stdin', 'env', 'idle_seconds', 'output_bytes'])
      if (each[member] !== undefined)
        problems.addAtKey(
          [...place, member],
          `${name}.${member} is for a command: an agent has its own in the configuration`,
        );
  checkExpectations(expect as unknown as Expectations, [...place, 'expect'], problems);
}

function checkExpectations({ stdout, stderr, files, json }: Expectations, place: Place, problems: ProblemList): void {
  for (const [stream, checks] of Object.entries({ stdout, stderr }))
    if (checks?.matches !== undefined) checkPattern(checks.matches, [...place, stream, 'matches'], problems);
  for (const [path, checks] of Object.entries(files ?? {}))
    checkFile(path, checks, [...place, 'files', path], problems);
  for (const [at, { file, pointer }] of (json ?? []).entries()) {
    if (file !== undefined) checkPath(file, [...place, 'json', at, 'file'], problems);
    if (!/^(?:\/(?:[^~/]|~[01])*)*$/u.test(pointer))
      problems.add(
        [...place, 'json', at, 'pointer'],
        'a JSON pointer begins with /, and ~ is written ~0, / in a name ~1',
      );
  }
}

function checkFile(path: string, checks: FileChecks, place: Place, problems: ProblemList): void {
  checkPath(path, place, problems);
  if (checks.matches !== undefined) checkPattern(checks.matches, [...place, 'matches'], problems);
  if (checks.sha256 !== undefined && !/^[0-9a-f]{64}$/.test(checks.sha256))
    problems.add([...place, 'sha256'], 'sha256 must be 64 hex digits in lower case');
  if (checks.absent === true && Object.keys(checks).length > 1)
    problems.add(place, 'of a file that is to be absent nothing else can be expected');
}

function checkPattern(pattern: string, place: Place, problems: ProblemList): void {
  try {
    new RegExp(pattern, 'mu');
  } catch (error) {
    problems.add(place, error instanceof Error ? error.message : String(error));
  }
}

function checkPath(path: string, place: Place, problems: ProblemList): void {
  const parts = path.split('/');
  if (parts.some((part) => part === '' || part === '.' || part === '..') || /[\0\\]/.test(path))
    problems.addAtKey(
      place,
      `${JSON.stringify(path)} must be a relative path that stays in the copy, without . and ..`,
    );
}

/** How many lines of a report the checks of one run make. */
export function countChecks(expect: Expectations): number {
  const members = (checks: object = {}): number =>
    Object.values(checks).reduce<number>((sum, check) => sum + (Array.isArray(check) ? check.length : 1), 0);
  const files = Object.values(expect.files ?? {}).reduce((sum, checks) => sum + members(checks), 0);
  return 1 + members(expect.stdout) + members(expect.stderr) + files + (expect.json?.length ?? 0);
}

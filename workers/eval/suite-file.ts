/**
 * Reads a suite: a file of the repository to cases with all their defaults, or to a failure that names file, line and
 * member of what is wrong. Nothing has run by then, and nothing of the file is believed beyond its form.
 */
import { createHash } from 'node:crypto';
import { type Document, LineCounter, parseDocument } from 'yaml';
import { whyNotCanonical } from '../../lib/base/canonical.js';
import { isJsonObject, type JsonObject } from '../../lib/base/json.js';
import { type Place, ProblemList } from '../../lib/model/configuration-problems.js';
import { failure } from '../failure.js';
import { told } from '../kit/payload.js';
import { readRegularFile, resolveInside } from '../kit/sources.js';
import { caseDefaults, evalLimits } from './limits.js';
import type { EvalCase, EvalSuite, Expectations } from './model.js';
import { checkSuite } from './suite-checks.js';

const SKILL_FOLDER = '.agents/skills';

/**
 * @param path as the payload names it
 * @throws a failure `request_rejected` that names the member of the payload, and line and member of the file
 */
export async function readSuite(root: string, path: string, member: string): Promise<EvalSuite> {
  const source = await resolveInside(root, path, member);
  const read = await readRegularFile(root, source.absolute, evalLimits.suiteBytes);
  if ('reason' in read) throw failure('request_rejected', `${member}: ${told(path)} is ${asState(read.reason)}`);
  const text = decoded(read.bytes);
  if (text === undefined) throw failure('request_rejected', `${member}: ${told(path)} is not a text in UTF-8`);
  const lines = new LineCounter();
  const problems = new ProblemList(source.path, lines);
  const parsed = parse(text, lines, problems);
  if (parsed !== undefined) checkSuite(parsed.value, problems);
  refuse(problems, member);
  const { value, document } = parsed as Parsed;
  const facts = { path: source.path, sha256: createHash('sha256').update(read.bytes).digest('hex') };
  return suiteOf(value, facts, (place) => placeText(new ProblemList(source.path, lines), document, place));
}

interface Parsed {
  readonly value: JsonObject;
  readonly document: Document.Parsed;
}

function asState(reason: string): string {
  return reason.startsWith("can't") ? `there, but ${reason}` : reason;
}

function decoded(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** JSON is YAML as well. @returns undefined when something stands in `problems` */
function parse(text: string, lines: LineCounter, problems: ProblemList): Parsed | undefined {
  try {
    const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, version: '1.2' });
    problems.setDocument(document);
    for (const error of [...document.errors, ...document.warnings])
      problems.addAtOffset(error.pos[0], error.message.split('\n')[0] ?? error.code);
    if (problems.sorted().length > 0) return undefined;
    const value: unknown = document.toJS({ maxAliasCount: evalLimits.suiteAliases });
    const why = isJsonObject(value)
      ? whyNotCanonical(value, 'the file')
      : 'the file must be a mapping with the key cases';
    if (why === undefined) return { value: value as JsonObject, document };
    problems.addAtOffset(0, why);
  } catch (error) {
    // Of a text that is nested without end the parser runs out of stack.
    problems.addAtOffset(0, error instanceof RangeError ? 'the file is nested too deep' : String(error));
  }
  return undefined;
}

function refuse(problems: ProblemList, member: string): void {
  const found = problems.sorted();
  if (found.length === 0) return;
  const shown = found.slice(0, evalLimits.toldProblems).map(({ text }) => text);
  const more = found.length > shown.length ? [`and ${found.length - shown.length} more`] : [];
  throw failure('request_rejected', `${member}: ${[...shown, ...more].join('; ')}`);
}

/** `file:line:column`. */
function placeText(list: ProblemList, document: Document.Parsed, place: Place): string {
  list.setDocument(document);
  list.add(place, '');
  return (list.sorted()[0]?.text ?? '').replace(/: $/, '');
}

function suiteOf(
  value: JsonObject,
  facts: { path: string; sha256: string },
  placeOf: (place: Place) => string,
): EvalSuite {
  const defaults = (value['defaults'] ?? {}) as JsonObject;
  return {
    ...facts,
    ...(typeof value['title'] === 'string' ? { title: value['title'] } : {}),
    threshold: (value['threshold'] as number | undefined) ?? 1,
    skill_folder: (value['skill_folder'] as string | undefined) ?? SKILL_FOLDER,
    cases: (value['cases'] as JsonObject[]).map((each) => caseOf(each, defaults)),
    placeOf: (caseAt, member) => placeOf(['cases', caseAt, ...(member === undefined ? [] : [member])]),
  };
}

/** A case with the plain defaults; the others depend on what stands beside them. */
type Written = Omit<EvalCase, 'idle_seconds' | 'env' | 'files' | 'expect'> &
  Partial<Pick<EvalCase, 'idle_seconds' | 'env' | 'files'>> & { readonly expect: Partial<Expectations> };

function caseOf(value: JsonObject, defaults: JsonObject): EvalCase {
  const merged: Written = { ...caseDefaults, ...(defaults as Partial<EvalCase>), ...(value as unknown as Written) };
  return {
    ...merged,
    files: merged.files ?? [],
    env: { ...(defaults['env'] as EvalCase['env'] | undefined), ...merged.env },
    idle_seconds: merged.idle_seconds ?? merged.timeout_seconds,
    expect: { exit_code: 0, ...merged.expect },
  };
}

/** Turns what is wrong with a YAML document into lines that a person can act on: where, what, and the nearest right key. */
import type { ErrorObject } from 'ajv/dist/2020.js';
import { type Document, isMap, isNode, isPair, isScalar, isSeq, type LineCounter, type ParsedNode } from 'yaml';
import { nearest } from '../base/nearest.js';
import { safeLine } from '../base/text.js';

export interface ConfigurationProblem {
  /** From 1. */
  readonly line: number;
  readonly column: number;
  readonly message: string;
  /** `file:line:column: message`. */
  readonly text: string;
}

/** A place in the document: member names and positions in lists, from the top. */
export type Place = readonly (string | number)[];

/** Collects problems of one file, in the order of their lines. */
export class ProblemList {
  readonly #fileName: string;
  readonly #lines: LineCounter;
  readonly #problems: ConfigurationProblem[] = [];
  #document: Document.Parsed | undefined;

  constructor(fileName: string, lines: LineCounter) {
    this.#fileName = fileName;
    this.#lines = lines;
  }

  setDocument(document: Document.Parsed): void {
    this.#document = document;
  }

  sorted(): readonly ConfigurationProblem[] {
    return this.#problems.toSorted((one, other) => one.line - other.line || one.column - other.column);
  }

  /** At an offset in the file's text. */
  addAtOffset(offset: number, message: string): void {
    const { line, col } = this.#lines.linePos(offset);
    const clean = safeLine(message);
    const at = { line: Math.max(1, line), column: Math.max(1, col) };
    this.#problems.push({ ...at, message: clean, text: `${this.#fileName}:${at.line}:${at.column}: ${clean}` });
  }

  /** At the value of a place. */
  add(place: Place, message: string): void {
    this.addAtOffset(offsetOf(this.#document?.contents ?? null, place, 'value'), message);
  }

  /** At the key of a place. */
  addAtKey(place: Place, message: string): void {
    this.addAtOffset(offsetOf(this.#document?.contents ?? null, place, 'key'), message);
  }

  /** What a schema found in the value at `base`. */
  addSchemaError(base: Place, error: ErrorObject): void {
    const place: Place = [...base, ...partsOf(error.instancePath)];
    if (error.keyword === 'additionalProperties') {
      const key = String(error.params['additionalProperty']);
      const known = Object.keys((error.parentSchema as { properties?: object } | undefined)?.properties ?? {});
      this.addAtKey([...place, key], unknownKey(key, place, known));
      return;
    }
    this.add(place, `${nameOf(place)} ${schemaMessage(error)}`);
  }
}

/** `unknown key "worker"; did you mean "workers"?` */
export function unknownKey(key: string, place: Place, known: readonly string[], kind = 'key'): string {
  const near = nearest(key, known);
  const where = place.length === 0 ? '' : ` in ${nameOf(place)}`;
  const rest = near === undefined ? `; known: ${known.join(', ')}` : `; did you mean ${JSON.stringify(near)}?`;
  return `unknown ${kind} ${JSON.stringify(key)}${where}${rest}`;
}

export function nameOf(place: Place): string {
  let name = '';
  for (const part of place) name += typeof part === 'number' ? `[${part}]` : name === '' ? part : `.${part}`;
  return name === '' ? 'the file' : name;
}

function schemaMessage(error: ErrorObject): string {
  const params: Record<string, unknown> = error.params;
  const article = (type: string): string => (/^[aeio]/.test(type) ? `an ${type}` : `a ${type}`);
  switch (error.keyword) {
    case 'type':
      return `must be ${[params['type']]
        .flat()
        .map((type) => article(String(type).replace('object', 'mapping').replace('array', 'list')))
        .join(' or ')}`;
    case 'enum':
      return `must be one of ${(params['allowedValues'] as unknown[]).map(String).join(', ')}`;
    case 'required':
      return `needs the key ${JSON.stringify(params['missingProperty'])}`;
    case 'minItems':
      return `must hold at least ${params['limit']}`;
    case 'minLength':
      return 'must not be empty';
    case 'pattern':
      return 'holds a character that cannot stand there';
    case 'minimum':
    case 'maximum':
    case 'exclusiveMinimum':
      return `must be ${params['comparison']} ${params['limit']}`;
    default:
      return error.message ?? `breaks the rule ${error.keyword}`;
  }
}

function partsOf(instancePath: string): (string | number)[] {
  return instancePath
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));
}

/** Where a place begins in the text; for a place that the text does not hold, where the nearest one above it begins. */
function offsetOf(contents: ParsedNode | null, place: Place, what: 'key' | 'value'): number {
  let node: unknown = contents;
  let offset = contents?.range[0] ?? 0;
  for (const [depth, part] of place.entries()) {
    const last = depth === place.length - 1;
    if (isMap(node)) {
      const pair = node.items.find(
        (item) => isPair(item) && isScalar(item.key) && String(item.key.value) === String(part),
      );
      if (pair === undefined) return offset;
      const { key, value } = pair;
      const wanted = last && what === 'key' ? key : isNode(value) ? value : key;
      offset = rangeStart(wanted) ?? offset;
      node = value;
    } else if (isSeq(node)) {
      node = node.items[Number(part)];
      offset = rangeStart(node) ?? offset;
    } else return offset;
  }
  return offset;
}

function rangeStart(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}

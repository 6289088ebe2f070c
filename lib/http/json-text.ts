/**
 * The text of a JSON value in pieces: objects and lists near the top are taken apart, so that a view of any number of
 * jobs never has to be one string (V8's longest is half a gigabyte).
 */
const TAKEN_APART_DEPTH = 4;

/** A list whose members are made, as texts, only when their turn comes. An empty text is a pause and no member. */
export class TextList {
  readonly texts: Iterable<string>;

  constructor(texts: Iterable<string>) {
    this.texts = texts;
  }
}

/** Together the same as `JSON.stringify(value)`. */
export function* jsonTexts(value: unknown, depth = 0): Generator<string> {
  if (value instanceof TextList) {
    yield* listTexts(value);
  } else if (typeof value !== 'object' || value === null || depth >= TAKEN_APART_DEPTH) {
    yield JSON.stringify(value) ?? 'null';
  } else if (Array.isArray(value)) {
    yield '[';
    for (let at = 0; at < value.length; at++) {
      if (at > 0) yield ',';
      yield* jsonTexts(value[at], depth + 1);
    }
    yield ']';
  } else {
    yield* objectTexts(value, depth);
  }
}

function* listTexts({ texts }: TextList): Generator<string> {
  let before = '[';
  for (const text of texts) {
    if (text !== '') {
      yield before;
      before = ',';
    }
    yield text;
  }
  yield before === '[' ? '[]' : ']';
}

function* objectTexts(value: object, depth: number): Generator<string> {
  let before = '{';
  for (const [name, member] of Object.entries(value)) {
    if (member === undefined) continue;
    yield `${before}${JSON.stringify(name)}:`;
    yield* jsonTexts(member, depth + 1);
    before = ',';
  }
  yield before === '{' ? '{}' : '}';
}

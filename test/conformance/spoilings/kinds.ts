/** Ways in which a value can be wrong, by what the document says of it. */

export type Schema = Readonly<Record<string, unknown>>;

/** The member is not there at all. */
export const gone: unique symbol = Symbol('gone');

export interface Kind {
  readonly name: string;
  /** Seen from a single answer, without knowing what is behind it. */
  readonly isShape: boolean;
  /** Undefined where this value can't be wrong in this way. */
  change(value: unknown): unknown;
}

const shape = (name: string, change: Kind['change']): Kind => ({ name, isShape: true, change });
const meaning = (name: string, change: Kind['change']): Kind => ({ name, isShape: false, change });

/** Every way for a value of this schema; that it is missing is a matter of its own. */
export function kindsOf(schema: Schema): readonly Kind[] {
  const type = schema['type'];
  return [shape('null', () => null), wrongType(schema), ...(type === 'string' ? textKinds(schema) : ofType(schema))];
}

export const removed = meaning('removed', () => gone);
export const removedThoughRequired = shape('removed', () => gone);

function wrongType({ type }: Schema): Kind {
  if (type === 'string') return shape('a number', () => 7);
  if (type === 'integer' || type === 'boolean') return shape('as a text', (value) => String(value));
  if (type === 'array') return shape('an object', (value) => Object.fromEntries(Object.entries(value as object)));
  return shape('a list', (value) => [value]);
}

function ofType({ type, const: only }: Schema): readonly Kind[] {
  const other = only === undefined ? meaning : shape;
  if (type === 'integer') {
    return [
      other('one more', (value) => Number(value) + 1),
      shape('negative', () => -1),
      shape('a fraction', (value) => Number(value) + 0.5),
    ];
  }
  if (type === 'boolean') return [other('the opposite', (value) => value !== true)];
  return type === 'array' ? listKinds : [];
}

function textKinds(schema: Schema): readonly Kind[] {
  if (schema['format'] === 'date-time') return timeKinds;
  const words = schema['enum'] as readonly string[] | undefined;
  if (String(schema['pattern']).includes('{64}'))
    return [meaning('another hash', otherHash), shape('no hash', () => 'abc')];
  const empty = shape('empty', () => '');
  if (schema['const'] !== undefined) return [shape('another word', () => 'other'), empty];
  if (words === undefined) return [meaning('another text', (value) => `x${String(value)}`), empty];
  return [
    meaning('another word of its list', (value) => words[(words.indexOf(String(value)) + 1) % words.length]),
    shape('a word outside of its list', () => 'other'),
  ];
}

const otherHash = (value: unknown): string => String(value).replace(/^./, (digit) => (digit === '0' ? '1' : '0'));

const movedBy = (ms: number) => (value: unknown) => new Date(Date.parse(String(value)) + ms).toISOString();
const HOUR_MS = 3_600_000;

const timeKinds: readonly Kind[] = [
  meaning('an hour earlier', movedBy(-HOUR_MS)),
  meaning('an hour later', movedBy(HOUR_MS)),
  shape('without a zone', (value) => String(value).replace(/Z$/, '')),
  shape('as in mail', (value) => new Date(String(value)).toUTCString()),
];

const list = (change: (list: readonly unknown[]) => readonly unknown[]) => (value: unknown) =>
  Array.isArray(value) && value.length > 0 ? change(value) : undefined;
const ofTwo = (change: (list: readonly unknown[]) => readonly unknown[]) => (value: unknown) =>
  Array.isArray(value) && value.length > 1 ? change(value) : undefined;

const listKinds: readonly Kind[] = [
  meaning(
    'emptied',
    list(() => []),
  ),
  meaning(
    'without its first',
    list((all) => all.slice(1)),
  ),
  meaning(
    'without its last',
    list((all) => all.slice(0, -1)),
  ),
  meaning(
    'its last twice',
    list((all) => [...all, all.at(-1)]),
  ),
  meaning(
    'turned round',
    ofTwo((all) => [...all].reverse()),
  ),
];

/** Walks a body along its schema. */
import { type Schema, type SchemaName, schemas } from './contract-schemas.js';
import { isObject } from './json.js';

/** Places where a list is null: what an empty one must never be. */
export function nullLists(name: SchemaName, body: unknown): string[] {
  return nullsBelow(schemas[name], body, '');
}

function nullsBelow(schema: Schema, value: unknown, path: string): string[] {
  if (value === null) return schema['type'] === 'array' ? [path.slice(1)] : [];
  const properties = schema['properties'] as Readonly<Record<string, Schema>> | undefined;
  if (properties === undefined || !isObject(value)) return [];
  return Object.entries(properties).flatMap(([member, inner]) => nullsBelow(inner, value[member], `${path}.${member}`));
}

/** A body without the members that v0 knows nothing of: what an implementation adds may differ as it likes. */
export function contractPart(name: SchemaName, body: unknown): unknown {
  return knownPart(schemas[name], body);
}

function knownPart(schema: Schema, value: unknown): unknown {
  if (Array.isArray(value)) {
    const items = schema['items'] as Schema | undefined;
    return items === undefined ? value : value.map((each) => knownPart(items, each));
  }
  const properties = schema['properties'] as Readonly<Record<string, Schema>> | undefined;
  const others = schema['additionalProperties'] as Schema | undefined;
  if ((properties === undefined && others === undefined) || !isObject(value)) return value;
  const members = Object.entries(value).flatMap(([member, inner]) => {
    const own = properties?.[member] ?? others;
    return own === undefined ? [] : [[member, knownPart(own, inner)] as const];
  });
  return Object.fromEntries(members);
}

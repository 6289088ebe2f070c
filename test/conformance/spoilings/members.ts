/** Every member of every good answer of v0, as the document has them: nothing that is an addition of this project. */
import type { JsonObject } from '../../../lib/base/json.js';
import { loadContract } from '../../../lib/engine/schemas.js';
import type { Schema } from './kinds.js';

export interface Member {
  /** `GET /v1/ready` */
  readonly route: string;
  readonly path: string;
  readonly schema: Schema;
  readonly isRequired: boolean;
}

export function documentedMembers(): Member[] {
  return answersOf(loadContract().document).flatMap(({ route, schema }) => membersBelow(route, '', schema));
}

export function documentedRoutes(): { readonly route: string; readonly refusals: readonly number[] }[] {
  return answersOf(loadContract().document);
}

const GOOD = ['200', '202'];

interface Answered {
  readonly route: string;
  readonly schema: Schema;
  readonly refusals: readonly number[];
}

function answersOf(document: JsonObject): Answered[] {
  const found: Answered[] = [];
  for (const [path, item] of Object.entries(document['paths'] as Record<string, Record<string, JsonObject>>)) {
    for (const [method, operation] of Object.entries(item)) {
      if (operation['x-extension'] === true) continue;
      const responses = operation['responses'] as Record<string, JsonObject>;
      const [, good] = Object.entries(responses).find(([status]) => GOOD.includes(status)) ?? [];
      const { content } = resolved(good ?? {}) as { content?: Record<string, { schema: Schema }> };
      const schema = content?.['application/json']?.schema;
      if (schema === undefined) continue;
      const refusals = Object.keys(responses)
        .map(Number)
        .filter((status) => status >= 400);
      found.push({ route: `${method.toUpperCase()} ${path}`, schema: resolved(schema), refusals });
    }
  }
  return found;
}

function resolved(value: Schema): Schema {
  const reference = value['$ref'];
  if (typeof reference !== 'string') return value;
  let here: unknown = loadContract().document;
  for (const name of reference.slice(2).split('/')) here = (here as JsonObject)[name];
  return { ...(here as Schema), ...value, $ref: undefined };
}

function membersBelow(route: string, above: string, schema: Schema): Member[] {
  const required = (schema['required'] ?? []) as readonly string[];
  return Object.entries((schema['properties'] ?? {}) as Record<string, Schema>).flatMap(([name, given]) => {
    const inner = resolved(given);
    if (inner['x-extension'] === true) return [];
    const path = above === '' ? name : `${above}.${name}`;
    const own: Member = { route, path, schema: inner, isRequired: required.includes(name) };
    return [own, ...membersIn(route, path, inner)];
  });
}

function membersIn(route: string, path: string, schema: Schema): Member[] {
  if (schema['type'] === 'array') return membersIn(route, `${path}[]`, resolved((schema['items'] ?? {}) as Schema));
  const others = schema['additionalProperties'];
  if (typeof others !== 'object' || others === null) return membersBelow(route, path, schema);
  const inner = resolved(others as Schema);
  const own: Member = { route, path: `${path}.*`, schema: inner, isRequired: false };
  return [own, ...membersBelow(route, `${path}.*`, inner)];
}

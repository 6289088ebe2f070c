/**
 * The contract at run time: `spec/openapi.yaml` is read once, and each of its component schemas can be compiled. So what
 * a request may look like is written in one place, the document that is also served and published.
 *
 * Ajv runs strictly, formats are checked, and every warning of Ajv is an error: a keyword with a typing mistake would
 * otherwise check nothing, silently.
 */
import { readFileSync } from 'node:fs';
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { invariant } from '../base/errors.js';
import { isJsonObject, type JsonObject } from '../base/json.js';
import { type JobType, jobTypes } from '../model/event.js';
import { DOCUMENT_FILE, parsedDocument } from './parsed-document.js';

/** What a schema has against a value. */
export interface SchemaProblem {
  /** The member, as `payload.goal` or `tags[2]`; empty for the value itself. */
  readonly member: string;
  /** What it must be, such as `must be a string`. */
  readonly message: string;
}

/** The first problem of a value, or undefined when there is none. */
export type SchemaCheck = (value: unknown) => SchemaProblem | undefined;

export interface Contract {
  /** The document's text, as it is served. */
  readonly text: string;
  readonly document: JsonObject;
  /** The check for a component schema. Compiled at its first use; a name that is not in the document crashes. */
  validator(schemaName: string): SchemaCheck;
  /** The check for the payload of a type: only the members that its schema knows, only their JSON types. */
  payloadValidator(jobType: JobType): SchemaCheck;
}

const PAYLOADS_FOLDER = new URL('payloads/', DOCUMENT_FILE);
const COMPONENT = '#/components/schemas/';

let loaded: Contract | undefined;

/** Reads the document of this package; the same object at every call. */
export function loadContract(): Contract {
  loaded ??= readContract(readFileSync(DOCUMENT_FILE, 'utf8'), payloadSchemas());
  return loaded;
}

function readContract(text: string, payloads: ReadonlyMap<string, JsonObject>): Contract {
  const document = parsedDocument(text);
  invariant(isJsonObject(document), 'spec/openapi.yaml is an object');
  const ajv = strictAjv();
  for (const [name, schema] of componentSchemas(document)) ajv.addSchema(relinked(schema) as JsonObject, linkOf(name));
  for (const [name, schema] of payloads) ajv.addSchema(schema, payloadLinkOf(name));
  return Object.freeze({
    text,
    document,
    validator: remembered((name: string) => checkOf(ajv, linkOf(name)) ?? missing(name)),
    payloadValidator: remembered((jobType: JobType) => checkOf(ajv, payloadLinkOf(jobType)) ?? (() => undefined)),
  });
}

/** Ajv resolves a link anew at each question. */
function remembered<Name extends string>(make: (name: Name) => SchemaCheck): (name: Name) => SchemaCheck {
  const known = new Map<Name, SchemaCheck>();
  return (name) => {
    const check = known.get(name) ?? make(name);
    known.set(name, check);
    return check;
  };
}

function missing(schemaName: string): never {
  throw new Error(`invariant broken: spec/openapi.yaml has the schema ${schemaName}`);
}

/** An Ajv in which nothing is ignored: unknown keywords and formats, doubtful types and every warning throw. */
function strictAjv(): Ajv2020 {
  const refuse = (...told: unknown[]): never => {
    throw new Error(`schema warning: ${told.map(String).join(' ')}`);
  };
  const ajv = new Ajv2020({
    strict: true,
    allowUnionTypes: true,
    logger: { log: refuse, warn: refuse, error: refuse },
  });
  addFormats.default(ajv);
  ajv.addVocabulary(['x-extension', 'example', 'discriminator', 'externalDocs']);
  return ajv;
}

function checkOf(ajv: Ajv2020, link: string): SchemaCheck | undefined {
  const validate = ajv.getSchema(link);
  return validate === undefined ? undefined : (value) => problemOf(validate, value);
}

function problemOf(validate: ValidateFunction, value: unknown): SchemaProblem | undefined {
  if (validate(value) === true) return undefined;
  const error = validate.errors?.[0];
  invariant(error !== undefined, 'a schema that refuses says why');
  return { member: memberOf(error), message: messageOf(error) };
}

function memberOf(error: ErrorObject): string {
  const added = error.keyword === 'required' ? `/${String(error.params['missingProperty'])}` : '';
  let member = '';
  for (const part of `${error.instancePath}${added}`.split('/').slice(1)) {
    const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
    if (/^\d+$/.test(name)) member += `[${name}]`;
    else member += member === '' ? name : `.${name}`;
  }
  return member;
}

function messageOf(error: ErrorObject): string {
  if (error.keyword === 'required') return 'is missing';
  if (error.keyword === 'enum')
    return `must be one of ${(error.params['allowedValues'] as unknown[]).map(String).join(', ')}`;
  if (error.keyword !== 'type') return error.message ?? `does not keep the rule ${error.keyword}`;
  const types = [error.params['type'] as string | string[]].flat().filter((type) => type !== 'null');
  return `must be ${types.map((type) => (/^[aeio]/.test(type) ? `an ${type}` : `a ${type}`)).join(' or ')}`;
}

function componentSchemas(document: JsonObject): [string, JsonObject][] {
  const components = document['components'];
  const schemas = isJsonObject(components) ? components['schemas'] : undefined;
  invariant(isJsonObject(schemas), 'spec/openapi.yaml has component schemas');
  return Object.entries(schemas) as [string, JsonObject][];
}

/** The same schema with its references turned from places in the document into names that Ajv knows. */
function relinked(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(relinked);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => {
      const isLink = name === '$ref' && typeof member === 'string' && member.startsWith(COMPONENT);
      return [name, isLink ? linkOf(member.slice(COMPONENT.length)) : relinked(member)];
    }),
  );
}

const linkOf = (schemaName: string): string => `jobspec:schema:${schemaName}`;
const payloadLinkOf = (jobType: string): string => `jobspec:payload:${jobType}`;

/** `spec/payloads/<type>.schema.json`, each as it is but for its own `$id`, which would give it a second name. */
function payloadSchemas(): Map<string, JsonObject> {
  const schemas = new Map<string, JsonObject>();
  for (const jobType of jobTypes) {
    const text = textIfThere(new URL(`${jobType}.schema.json`, PAYLOADS_FOLDER));
    if (text === undefined) continue;
    const { $id: _, ...schema } = JSON.parse(text) as JsonObject;
    schemas.set(jobType, schema);
  }
  return schemas;
}

function textIfThere(file: URL): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** What makes a work order one that can be judged: its schema, and what a schema can't say. Each problem names its member. */
import { readFileSync } from 'node:fs';
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import type { JsonObject } from '../../lib/base/json.js';
import { nameOf, type Place, unknownKey } from '../../lib/model/configuration-problems.js';
import { told } from '../kit/payload.js';
import { whyNoRefName } from '../kit/repository.js';
import type { CiBaseline, OpenRequest, OrderWindow } from './work-order-model.js';

const SCHEMA_FILE = new URL('../../../spec/work-order.schema.json', import.meta.url);

interface Validators {
  readonly order: ValidateFunction;
  readonly ciBaseline: ValidateFunction;
}
let compiled: Validators | undefined;

/** @param member the order's own name, such as `payload.work_order` */
export function orderProblems(order: JsonObject, member: string): string[] {
  const { order: check } = validators();
  if (!check(order)) return schemaProblems(check.errors ?? [], member);
  const refs: [name: string, ref: unknown][] = [['base_ref', order['base_ref']]];
  const requests = (order['open_requests'] ?? []) as unknown as OpenRequest[];
  for (const [at, { ref }] of requests.entries()) refs.push([`open_requests[${at}].ref`, ref]);
  return [
    ...refs.flatMap(([name, ref]) => (typeof ref === 'string' ? refProblem(`${member}.${name}`, ref) : [])),
    ...windowProblems((order['window'] ?? {}) as unknown as OrderWindow, `${member}.window`),
  ];
}

export function ciBaselineProblems(baseline: unknown, member: string): string[] {
  const { ciBaseline: check } = validators();
  return check(baseline) ? [] : schemaProblems(check.errors ?? [], member);
}

export function isCiBaseline(value: unknown): value is CiBaseline {
  return validators().ciBaseline(value);
}

function validators(): Validators {
  if (compiled !== undefined) return compiled;
  const ajv = new Ajv2020({
    strict: true,
    allErrors: true,
    verbose: true,
    allowUnionTypes: true,
    strictRequired: false,
  });
  const schema = JSON.parse(readFileSync(SCHEMA_FILE, 'utf8')) as JsonObject;
  const order = ajv.compile(schema);
  const ciBaseline = ajv.compile({ $ref: `${String(schema['$id'])}#/$defs/ci_baseline` });
  compiled = { order, ciBaseline };
  return compiled;
}

function schemaProblems(errors: readonly ErrorObject[], member: string): string[] {
  // Of alternatives it says more what each of them lacks than that none fits.
  const telling = errors.filter(({ keyword }) => keyword !== 'anyOf');
  return [...new Set((telling.length > 0 ? telling : errors).map((error) => problemOf(error, member)))];
}

function problemOf(error: ErrorObject, member: string): string {
  const place: Place = error.instancePath
    .split('/')
    .slice(1)
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part.replaceAll('~1', '/').replaceAll('~0', '~')));
  const name = `${member}${place.length === 0 ? '' : `.${nameOf(place)}`}`;
  switch (error.keyword) {
    case 'additionalProperties':
      return `${name}: ${unknownKey(String(error.params['additionalProperty']), [], knownMembers(error), 'member')}`;
    case 'required':
      return `${name}.${String(error.params['missingProperty'])} is missing`;
    case 'enum':
      return `${name} must be one of ${(error.params['allowedValues'] as unknown[]).join(', ')}`;
    case 'pattern':
      return `${name} ${wantedForm(name)}`;
    default:
      return `${name} ${error.message ?? 'does not fit'}`;
  }
}

function knownMembers(error: ErrorObject): string[] {
  return Object.keys((error.parentSchema as { properties?: object } | undefined)?.properties ?? {});
}

function wantedForm(name: string): string {
  if (name.endsWith('sha')) return 'must be the full id of a commit, 40 or 64 hexadecimal digits';
  if (name.includes('commands[')) return 'must not be blank, and can not hold a NUL';
  return 'must be a time such as 2026-01-31T08:00:00Z';
}

function refProblem(name: string, ref: string): string[] {
  const why = whyNoRefName(ref);
  return why === undefined ? [] : [`${name}: ${told(ref)} is no name of a branch: ${why}`];
}

function windowProblems({ not_before, not_after }: OrderWindow, member: string): string[] {
  const times = Object.entries({ not_before, not_after }).filter(([, time]) => time !== undefined);
  const wrong = times.filter(([, time]) => Number.isNaN(Date.parse(time as string)));
  if (wrong.length > 0) return wrong.map(([name]) => `${member}.${name} is no time that exists`);
  if (not_before === undefined || not_after === undefined || Date.parse(not_before) <= Date.parse(not_after)) return [];
  return [`${member}.not_after comes before ${member}.not_before`];
}

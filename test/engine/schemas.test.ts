import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isJsonObject } from '../../lib/base/json.js';
import { loadContract } from '../../lib/engine/schemas.js';
import { jobTypes } from '../../lib/model/event.js';

const test = suite('schemas');
const { document, validator, payloadValidator } = loadContract();

test('every component schema of the document compiles, with no warning', () => {
  const components = document['components'];
  assert.ok(isJsonObject(components) && isJsonObject(components['schemas']));
  const names = Object.keys(components['schemas']);
  assert.ok(names.length > 40);
  for (const name of names) assert.type(validator(name), 'function');
});

test('every payload schema compiles and lets an empty payload pass', () => {
  for (const type of jobTypes) assert.is(payloadValidator(type)({}), undefined, type);
});

test('formats are checked, also through references', () => {
  const health = { status: 'ok', daemon: 'agentopsd', read_only: true, now: '2026-04-30T10:00:00.000Z' };
  assert.is(validator('Health')(health), undefined);
  assert.is(validator('Health')({ ...health, now: 'yesterday' })?.member, 'now');
});

test('a problem names its member and what it must be', () => {
  assert.equal(validator('SubmitRequest')({}), { member: 'job_type', message: 'is missing' });
  assert.equal(validator('SubmitRequest')({ job_type: 'rpi.run', payload: 1 }), {
    member: 'payload',
    message: 'must be an object',
  });
  const events = { events: [{ schema_version: 2 }] };
  assert.match(validator('Events')(events)?.member ?? '', /^events\[0\]/);
});

test('a schema that is not there crashes with its name', () => {
  assert.throws(() => validator('NoSuchSchema'), /NoSuchSchema/);
});

test.run();

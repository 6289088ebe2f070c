import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Json, JsonObject } from '../../lib/base/json.js';
import { loadContract } from '../../lib/engine/schemas.js';
import { jobTypes } from '../../lib/model/event.js';
import { repositoryRoot } from '../support/sources.js';

const test = suite('payload schemas');
const folder = join(repositoryRoot, 'spec/payloads');

interface PayloadSchema {
  $id: string;
  properties: Record<string, { type: string[] }>;
}
const samples: Record<string, Json> = { string: 'x', integer: 1, number: 0.5, boolean: true, array: ['x'], object: {} };

function schemaOf(jobType: string): PayloadSchema {
  return JSON.parse(readFileSync(join(folder, `${jobType}.schema.json`), 'utf8')) as PayloadSchema;
}

test('every job type has its schema, and there are no others', () => {
  const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
  assert.equal(names.sort(), jobTypes.map((jobType) => `${jobType}.schema.json`).sort());
  for (const jobType of jobTypes) assert.is(schemaOf(jobType).$id, `${jobType}.schema.json`);
});

test('an empty payload passes, and so does what nobody knows', () => {
  for (const jobType of jobTypes) {
    const check = loadContract().payloadValidator(jobType);
    for (const payload of [{}, { something_new: [1, { deep: null }] }] as JsonObject[])
      assert.is(check(payload), undefined, jobType);
  }
});

test('a known member takes its JSON types and null, nothing else', () => {
  for (const jobType of jobTypes) {
    const check = loadContract().payloadValidator(jobType);
    for (const [member, { type }] of Object.entries(schemaOf(jobType).properties)) {
      assert.is(check({ [member]: null }), undefined);
      const takes = type.includes('number') ? [...type, 'integer'] : type;
      for (const [kind, sample] of Object.entries(samples)) {
        const problem = check({ [member]: sample });
        if (takes.includes(kind)) assert.is(problem, undefined, `${jobType} ${member}: ${kind}`);
        else assert.is(problem?.member, member, `${jobType} ${member}: ${kind}`);
      }
    }
  }
});

test('a list of texts holds texts', () => {
  const problem = loadContract().payloadValidator('wiki.forge')({ source_paths: ['a', 7] });
  assert.is(problem?.member, 'source_paths[1]');
});

test.run();

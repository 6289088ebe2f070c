/** Each exchange of `spec/golden` comes out as it is written there. */
import { readdirSync, readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { isJsonObject, type JsonObject } from '../../lib/base/json.js';
import { serve, TOKEN } from '../support/http-kernel.js';

interface Exchange {
  request: { method: string; path: string; token?: boolean; body?: JsonObject; text?: string };
  answer: { status: number; headers?: Record<string, string>; body?: JsonObject; members?: JsonObject };
}

const test = suite('golden');
const folder = new URL('../../../spec/golden/', import.meta.url);
const names = readdirSync(folder).filter((name) => name.endsWith('.json'));

for (const name of names) {
  const golden = JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as { name: string; exchanges: Exchange[] };
  test(golden.name, async () => {
    const served = await serve();
    try {
      for (const { request, answer } of golden.exchanges) {
        const headers = request.token === true ? { 'X-AgentOps-Daemon-Token': TOKEN } : {};
        const body = request.text ?? request.body;
        const got = await served.ask(request.method, request.path, {
          headers,
          ...(body === undefined ? {} : { body }),
        });
        assert.is(got.status, answer.status, `${request.method} ${request.path}: ${got.text}`);
        for (const [header, value] of Object.entries(answer.headers ?? {})) assert.is(got.headers[header], value);
        if (answer.body !== undefined) assert.equal(timeless(got.body, answer.body), answer.body);
        for (const [member, value] of Object.entries(answer.members ?? {})) assert.equal(got.body[member], value);
      }
    } finally {
      await served.close();
    }
  });
}

/** The answer with each value that the file writes `<timestamp>` replaced so, if it is a time in UTC. */
function timeless(got: unknown, wanted: unknown): unknown {
  if (wanted === '<timestamp>') return typeof got === 'string' && /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(got) ? wanted : got;
  if (Array.isArray(got) && Array.isArray(wanted)) return got.map((member, at) => timeless(member, wanted[at]));
  if (!isJsonObject(got) || !isJsonObject(wanted)) return got;
  return Object.fromEntries(Object.entries(got).map(([member, value]) => [member, timeless(value, wanted[member])]));
}

test('there are goldens', () => {
  assert.ok(names.includes('submit.json'));
});

test.run();

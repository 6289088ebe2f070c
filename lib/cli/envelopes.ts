/** The jobs that a command line hands in: from flags, a file, standard input, or each line of a `.jsonl` file. */
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { AgentopsdError } from '../base/errors.js';
import { isJsonObject, type JsonObject } from '../base/json.js';
import { safeLine } from '../base/text.js';
import type { SubmitRequest } from '../client/client.js';
import { jobTypes } from '../model/event.js';
import type { Flags } from './flags.js';

export interface Envelope {
  readonly request: SubmitRequest;
  /** Such as `jobs.jsonl:3`; undefined for flags. */
  readonly from: string | undefined;
}

/** Every mistake that shows without asking the daemon is told before the first job is handed in. */
export async function readEnvelopes(
  flags: Flags,
  source: string | undefined,
): Promise<{ envelopes: Envelope[]; many: boolean }> {
  if (source === undefined) return { envelopes: [{ request: fromFlags(flags), from: undefined }], many: false };
  refuseFlagsBeside(source, flags);
  const content = source === '-' ? await text(process.stdin) : await contentOf(source);
  const name = source === '-' ? 'standard input' : safeLine(source);
  if (!source.endsWith('.jsonl')) {
    return { envelopes: [{ request: { ...envelopeOf(content, name), ...namesFrom(flags) }, from: name }], many: false };
  }
  if (Object.keys(namesFrom(flags)).length > 0)
    throw new AgentopsdError('usage', '--id, --key and --request-id name one job, and a .jsonl file holds many');
  const lines = content.split('\n').map((line, at) => ({ line: line.trim(), from: `${name}:${at + 1}` }));
  return {
    envelopes: lines
      .filter(({ line }) => line !== '')
      .map(({ line, from }) => ({ request: envelopeOf(line, from), from })),
    many: true,
  };
}

function fromFlags(flags: Flags): SubmitRequest {
  const goal = flags.text('goal');
  const jobType = flags.choice('type', jobTypes) ?? (goal === undefined ? undefined : 'rpi.run');
  if (jobType === undefined) {
    throw new AgentopsdError('usage', 'no job is named', {
      hint: 'give a file, - for standard input, --type, or --goal: agentopsd help submit',
    });
  }
  const payload = { ...payloadOf(flags.text('payload')), ...(goal === undefined ? {} : { goal }) };
  return { job_type: jobType, payload, ...namesFrom(flags) };
}

function payloadOf(json: string | undefined): JsonObject {
  if (json === undefined) return {};
  const value = parsed(json, '--payload');
  if (isJsonObject(value)) return value as JsonObject;
  throw new AgentopsdError('usage', '--payload is no JSON object', {
    hint: 'write it as --payload \'{"name": "value"}\'',
  });
}

function namesFrom(flags: Flags): Pick<SubmitRequest, 'job_id' | 'idempotency_key' | 'request_id'> {
  const [jobId, key, requestId] = [flags.text('id'), flags.text('key'), flags.text('request-id')];
  return {
    ...(jobId === undefined ? {} : { job_id: jobId }),
    ...(key === undefined ? {} : { idempotency_key: key }),
    ...(requestId === undefined ? {} : { request_id: requestId }),
  };
}

function refuseFlagsBeside(source: string, flags: Flags): void {
  const beside = ['type', 'payload', 'goal'].find((name) => flags.given(name));
  if (beside === undefined) return;
  throw new AgentopsdError('usage', `--${beside} can't stand beside ${safeLine(source)}`, {
    hint: 'the job comes from the file, or from flags',
  });
}

/** What the daemon refuses anyway is left to it; a line that is no object can't be sent at all. */
function envelopeOf(json: string, from: string): SubmitRequest {
  const value = parsed(json, from);
  if (isJsonObject(value)) return value as unknown as SubmitRequest;
  throw new AgentopsdError('invalid_json', `${from} is no JSON object`, {
    hint: 'an envelope is {"job_type": …, "payload": {…}}',
  });
}

function parsed(json: string, from: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new AgentopsdError('invalid_json', `${from} is no JSON: ${safeLine(why)}`, {
      hint: 'an envelope is {"job_type": …, "payload": {…}}',
    });
  }
}

async function contentOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    throw new AgentopsdError('usage', `${safeLine(path)} can't be read (${code})`, {
      hint: 'name a file that exists, or - for standard input',
    });
  }
}

/**
 * A client for tests that can ask what a polite one would not, and that holds each answer against the document: an
 * undocumented status, type or shape fails the test that met it.
 */
import { type Agent, request as httpRequest, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { isJsonObject, type JsonObject } from '../../lib/base/json.js';
import { loadContract } from '../../lib/engine/schemas.js';
import { patternOf, routesByPath } from '../../lib/http/routes.js';

export interface Asking {
  readonly headers?: OutgoingHttpHeaders;
  /** Text and bytes go as they are; anything else as JSON with its content type. */
  readonly body?: unknown;
  /** Connections to use again; without it each request has one of its own. */
  readonly agent?: Agent;
  /** For the whole answer, in milliseconds. */
  readonly deadlineMs?: number;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The parsed body; empty when it is no JSON object. */
  readonly body: JsonObject;
}

const DEADLINE_MS = 10_000;

/** Asks, and checks the answer against the document. */
export async function ask(port: number, method: string, path: string, asking: Asking = {}): Promise<Answer> {
  const answer = await askUnchecked(port, method, path, asking);
  const why = whyNotDocumented(method, path, answer);
  if (why !== undefined)
    throw new Error(`${method} ${path} answered ${answer.status}: ${why}\n${answer.text.slice(0, 500)}`);
  return answer;
}

export function askUnchecked(
  port: number,
  method: string,
  path: string,
  { headers = {}, body, agent, deadlineMs = DEADLINE_MS }: Asking = {},
): Promise<Answer> {
  const isRaw = typeof body === 'string' || Buffer.isBuffer(body);
  const bytes = body === undefined ? undefined : isRaw ? Buffer.from(body) : Buffer.from(JSON.stringify(body));
  const own: OutgoingHttpHeaders =
    bytes === undefined ? {} : { 'Content-Length': bytes.length, 'Content-Type': 'application/json' };
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(deadlineMs);
    const request = httpRequest({
      host: '127.0.0.1',
      port,
      method,
      path,
      headers: { ...own, ...headers },
      agent: agent ?? false,
      signal,
    });
    request.on('error', reject);
    request.on('response', (response) => {
      const pieces: Buffer[] = [];
      response.on('data', (piece: Buffer) => pieces.push(piece));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(pieces).toString('utf8');
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, body: parsed(text) });
      });
    });
    request.end(bytes);
  });
}

function parsed(text: string): JsonObject {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : {};
  } catch {
    return {};
  }
}

/** Why an answer is not what the document says, or undefined. */
export function whyNotDocumented(method: string, target: string, answer: Answer): string | undefined {
  if (Object.keys(answer.headers).some((name) => name.startsWith('access-control-'))) return 'it has a CORS header';
  if (answer.status >= 400 && !isErrorAnswer(answer, method)) return 'it is no {error} as application/json';
  const operation = operationOf(method, target);
  // What is refused before the path is looked at, or because of it, has no operation of its own.
  if (operation === undefined)
    return [400, 403, 404, 405].includes(answer.status) ? undefined : 'the path is not documented';
  const response = resolved((operation['responses'] as JsonObject)[String(answer.status)]);
  if (response === undefined) return 'the status is not documented';
  const header = whyNotHeaders(response, answer);
  if (header !== undefined) return header;
  return method === 'HEAD' ? undefined : whyNotContent(response, answer);
}

/** Headers of HTTP itself, of which a contract has nothing to say. */
const TRANSPORT = new Set(['date', 'connection', 'keep-alive', 'transfer-encoding', 'content-length', 'content-type']);

function whyNotHeaders(response: JsonObject, answer: Answer): string | undefined {
  const documented = Object.entries((response['headers'] ?? {}) as JsonObject);
  const names = new Set(documented.map(([name]) => name.toLowerCase()));
  const extra = Object.keys(answer.headers).find((name) => !TRANSPORT.has(name) && !names.has(name));
  if (extra !== undefined) return `the header ${extra} is not documented`;
  const missing = documented.find(
    ([name, header]) => resolved(header)?.['required'] === true && answer.headers[name.toLowerCase()] === undefined,
  );
  return missing === undefined ? undefined : `the header ${missing[0]} is missing`;
}

function isErrorAnswer(answer: Answer, method: string): boolean {
  const isJson = answer.headers['content-type'] === 'application/json';
  return isJson && (method === 'HEAD' || loadContract().validator('Error')(answer.body) === undefined);
}

function whyNotContent(response: JsonObject, answer: Answer): string | undefined {
  const content = response['content'];
  if (!isJsonObject(content)) return answer.text === '' ? undefined : 'it has a body, and none is documented';
  const type = answer.headers['content-type']?.split(';')[0] ?? '';
  const media = content[type];
  if (!isJsonObject(media)) return `the type ${type} is not documented`;
  const schema = (media['schema'] as JsonObject)['$ref'];
  if (typeof schema !== 'string') return undefined;
  const problem = loadContract().validator(schema.split('/').at(-1) ?? '')(JSON.parse(answer.text));
  return problem === undefined ? undefined : `${problem.member} ${problem.message}`;
}

/** The documented operation for a method and a target; undefined when there is none. */
function operationOf(method: string, target: string): JsonObject | undefined {
  const path = target.split('?')[0] ?? '';
  const found = routesByPath().find(([template]) => patternOf(template).test(path));
  const wanted = method === 'HEAD' ? 'GET' : method;
  const route = found?.[1].find((candidate) => candidate.method === wanted);
  if (route === undefined) return undefined;
  const item = (loadContract().document['paths'] as JsonObject)[route.path];
  return isJsonObject(item) ? (item[wanted.toLowerCase()] as JsonObject) : undefined;
}

function resolved(response: unknown): JsonObject | undefined {
  if (!isJsonObject(response)) return undefined;
  const link = response['$ref'];
  if (typeof link !== 'string') return response;
  let place: unknown = loadContract().document;
  for (const part of link.split('/').slice(1)) place = (place as JsonObject)[part];
  return place as JsonObject;
}

/** Sends bytes as they are and answers with all that came back until the other side closed or `until` holds. */
export function exchangeBytes(
  port: number,
  bytes: string | Buffer,
  until: (text: string) => boolean = () => false,
  deadlineMs = DEADLINE_MS,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    const finish = (): void => {
      socket.destroy();
      resolve(text);
    };
    socket.setTimeout(deadlineMs, () => reject(new Error(`no end of the answer: ${text}`)));
    socket.on('data', (piece) => {
      text += piece.toString('utf8');
      if (until(text)) finish();
    });
    socket.on('error', (error) => (text === '' ? reject(error) : finish()));
    socket.on('close', finish);
    socket.write(bytes);
  });
}

/**
 * A model endpoint on loopback for the real agent CLIs: it speaks Anthropic's messages and OpenAI's responses, as server
 * sent events, far enough for a whole loop of tool calls. What it answers follows from a word in the prompt:
 *
 *     [[edit]]     a tool call that writes a file, then a last message
 *     [[denied]]   a tool call that the permissions refuse, then a last message
 *     [[sleep]]    a tool call that starts processes in sessions of their own, and stays
 *     [[error]]    an error of the API
 *     [[wait]]     nothing: the request stays open
 *     [[object]]   a message that holds a JSON object
 *
 * anything else: a message.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isJsonObject, type Json, type JsonObject } from '../../lib/base/json.js';

export interface ModelEndpoint {
  /** Such as `http://127.0.0.1:4711`. */
  readonly url: string;
  /** Path and body of each request so far. */
  readonly requests: readonly { readonly path: string; readonly body: JsonObject }[];
  /** Requests that are left without an answer now. */
  waiting(): number;
  close(): Promise<void>;
}

export interface ToolCall {
  /** Shell command line. */
  readonly command: string;
  /** Whether Codex is asked for it outside of its sandbox. */
  readonly escalated?: boolean;
}

export interface ModelScript {
  /** By the word of the prompt. */
  readonly tools: Readonly<Record<string, ToolCall>>;
}

export async function openModelEndpoint(script: ModelScript): Promise<ModelEndpoint> {
  const requests: { path: string; body: JsonObject }[] = [];
  let waiting = 0;
  const wait = (response: ServerResponse) => {
    waiting += 1;
    response.once('close', () => {
      waiting -= 1;
    });
  };
  const server = createServer((request, response) => {
    void answer(request, response, { script, requests, wait }).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, requests, waiting: () => waiting, close: () => closed(server) };
}

function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}

interface Asked {
  readonly script: ModelScript;
  readonly requests: { path: string; body: JsonObject }[];
  readonly wait: (response: ServerResponse) => void;
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { script, requests, wait }: Asked,
): Promise<void> {
  const blocks: Buffer[] = [];
  for await (const block of request) blocks.push(block as Buffer);
  const path = (request.url ?? '').split('?')[0] ?? '';
  const body = objectOf(Buffer.concat(blocks).toString('utf8'));
  requests.push({ path, body });
  const say = path === '/v1/messages' ? anthropic : path.endsWith('/responses') ? openai : undefined;
  if (request.method !== 'POST' || say === undefined) {
    response.writeHead(404, { 'content-type': 'application/json' }).end('{"error":{"message":"not here"}}');
    return;
  }
  const text = JSON.stringify(body);
  const word = hasTools(body) ? (/\[\[(\w+)\]\]/.exec(text)?.[1] ?? '') : '';
  if (word === 'wait') return wait(response);
  if (word === 'error') return refuse(response, path);
  const called = /"type":"(?:tool_result|function_call_output|custom_tool_call_output)"/.test(text);
  const call = called ? undefined : script.tools[word];
  const message =
    word === 'object' ? '{"title":"An object","count":2}' : `It is done (${word === '' ? 'plain' : word}).`;
  say(response, call === undefined ? { message } : { call, codeMode: /"type":"custom","name":"exec"/.test(text) });
}

/** Side requests of the CLIs, such as for a title, have no tools. */
const hasTools = (body: JsonObject): boolean => /"tools":\[\{/.test(JSON.stringify(body));

function refuse(response: ServerResponse, path: string): void {
  const error =
    path === '/v1/messages'
      ? { type: 'error', error: { type: 'invalid_request_error', message: 'the fake model says no' } }
      : { error: { type: 'invalid_request_error', message: 'the fake model says no', code: 'no' } };
  response.writeHead(400, { 'content-type': 'application/json' }).end(JSON.stringify(error));
}

type Said = { readonly message: string } | { readonly call: ToolCall; readonly codeMode: boolean };

let serial = 0;

function anthropic(response: ServerResponse, said: Said): void {
  const id = `msg_${++serial}`;
  const send = sender(response);
  const usage = { input_tokens: 100, output_tokens: 1, cache_creation_input_tokens: 0, cache_read_input_tokens: 20 };
  send('message_start', {
    message: { id, type: 'message', role: 'assistant', model: 'fake-model', content: [], stop_reason: null, usage },
  });
  if ('message' in said) {
    send('content_block_start', { index: 0, content_block: { type: 'text', text: '' } });
    send('content_block_delta', { index: 0, delta: { type: 'text_delta', text: said.message } });
  } else {
    const input = JSON.stringify({ command: said.call.command, description: 'A tool call' });
    const block = { type: 'tool_use', id: `toolu_${serial}`, name: 'Bash', input: {} };
    send('content_block_start', { index: 0, content_block: block });
    send('content_block_delta', { index: 0, delta: { type: 'input_json_delta', partial_json: input } });
  }
  send('content_block_stop', { index: 0 });
  const stop_reason = 'message' in said ? 'end_turn' : 'tool_use';
  send('message_delta', { delta: { stop_reason, stop_sequence: null }, usage: { output_tokens: 30 } });
  send('message_stop', {});
  response.end();
}

function openai(response: ServerResponse, said: Said): void {
  const id = `resp_${++serial}`;
  const send = sender(response);
  send('response.created', { response: { id } });
  const item: JsonObject =
    'message' in said
      ? { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: said.message }] }
      : { call_id: `call_${serial}`, ...openaiCall(said) };
  send('response.output_item.done', { item: { id: `item_${serial}`, ...item } });
  send('response.completed', {
    response: {
      id,
      usage: {
        input_tokens: 100,
        input_tokens_details: { cached_tokens: 20 },
        output_tokens: 30,
        output_tokens_details: { reasoning_tokens: 5 },
        total_tokens: 130,
      },
    },
  });
  response.end();
}

/** Some models get their tools as functions, others as one that runs JavaScript. */
function openaiCall({ call, codeMode }: Extract<Said, { call: ToolCall }>): JsonObject {
  const more = call.escalated === true ? { sandbox_permissions: 'require_escalated', justification: 'May I?' } : {};
  const input = JSON.stringify({ cmd: call.command, yield_time_ms: 30_000, ...more });
  return codeMode
    ? { type: 'custom_tool_call', name: 'exec', input: `text(await tools.exec_command(${input}));` }
    : { type: 'function_call', name: 'exec_command', arguments: input };
}

function sender(response: ServerResponse): (type: string, data: JsonObject) => void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  return (type, data) => response.write(`event: ${type}\ndata: ${JSON.stringify({ type, ...data })}\n\n`);
}

function objectOf(text: string): JsonObject {
  try {
    const value = JSON.parse(text) as Json;
    return isJsonObject(value) ? value : {};
  } catch {
    return {};
  }
}

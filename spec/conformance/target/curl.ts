/** A line for a shell that repeats a request. The token stands in it as the variable it came from. */
import type { Exchange } from './exchange.js';

const SPELLED_OUT_BYTES = 4000;
const LONG_RUN = /(.)\1{999,}/s;

type Request = Pick<Exchange, 'method' | 'base' | 'path' | 'requestHeaders' | 'requestBody'>;

/** @param tokenVariable name of the environment variable that holds `token` */
export function curlOf(request: Request, token: string | undefined, tokenVariable: string): string {
  const words = ['curl', '-sS', '-i'];
  if (request.method !== 'GET') words.push('-X', request.method);
  for (const [name, value] of Object.entries(request.requestHeaders)) {
    if (name === 'Content-Length') continue;
    words.push('-H', header(name, value, token, tokenVariable));
  }
  let before = '';
  if (request.requestBody !== undefined && request.requestBody.length > 0) {
    const body = request.requestBody.toString('utf8');
    if (body.length <= SPELLED_OUT_BYTES) words.push('--data-binary', quoted(body));
    else {
      before = `${written(body)} | `;
      words.push('--data-binary', '@-');
    }
  }
  const url = request.base.replace(/\/$/, '') + request.path;
  words.push(quoted(url));
  const line = before + words.join(' ');
  return token === undefined || token === '' ? line : line.split(token).join(`'"$${tokenVariable}"'`);
}

function header(name: string, value: string, token: string | undefined, variable: string): string {
  if (token === undefined || token === '') return quoted(`${name}: ${value}`);
  const shell: readonly (readonly [string, string])[] = [
    [token, `$${variable}`],
    [token.slice(0, -1), `\${${variable}%?}`],
    [swapCase(token), `$(printf %s "$${variable}" | tr a-zA-Z A-Za-z)`],
    [Buffer.from(`x:${token}`).toString('base64'), `$(printf x:%s "$${variable}" | base64 -w0)`],
  ];
  for (const [secret, text] of shell) {
    if (secret.length < 8 || !value.includes(secret)) continue;
    const [first, ...rest] = value.split(secret);
    return `"${name}: ${[first, ...rest].map(inDoubleQuotes).join(text)}"`;
  }
  return quoted(`${name}: ${value}`);
}

export function swapCase(text: string): string {
  return [...text].map((each) => (each === each.toLowerCase() ? each.toUpperCase() : each.toLowerCase())).join('');
}

function inDoubleQuotes(text: string | undefined): string {
  return (text ?? '').replace(/["$`\\]/g, '\\$&');
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** A long body as commands that print it, where it is long because one character is repeated. */
function written(body: string): string {
  const run = LONG_RUN.exec(body);
  if (run === null) return `printf '%s' ${quoted(`${body.slice(0, SPELLED_OUT_BYTES)}… (${body.length} characters)`)}`;
  const head = body.slice(0, run.index);
  const tail = body.slice(run.index + run[0].length);
  const character = run[1] as string;
  return `{ printf '%s' ${quoted(head)}; head -c ${run[0].length} /dev/zero | tr '\\0' ${quoted(character)}; printf '%s' ${quoted(tail.slice(0, SPELLED_OUT_BYTES))}; }`;
}

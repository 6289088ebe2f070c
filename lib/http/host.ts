/**
 * Which names this server answers to. A web page can make a browser send requests to 127.0.0.1 under a name of its own
 * (DNS rebinding); the `Host` header then carries that name, so a name that is not ours is refused on every route.
 */
import type { IncomingMessage } from 'node:http';
import { AgentopsdError } from '../base/errors.js';

/** @throws AgentopsdError `host_denied` (403), or `invalid_request` (400) where the request names no host or several */
export function checkHost(request: IncomingMessage, port: number, allowedHosts: readonly string[]): void {
  if (!request.url?.startsWith('/'))
    throw new AgentopsdError('invalid_request', 'the request target must be a path, such as /v1/status');
  // One alone stands in `headers` too; of several the first does, so they are counted.
  const count = countOf(request.rawHeaders, 'host');
  if (count !== 1)
    throw new AgentopsdError('invalid_request', `the request has ${count} Host headers; send exactly one`);
  if (!isTrustedHost(request.headers.host ?? '', port, allowedHosts)) {
    throw new AgentopsdError('host_denied', 'daemon mutation denied: host is not trusted');
  }
}

/** How often a header stands there: names in `rawHeaders` come in pairs with their values. */
function countOf(rawHeaders: readonly string[], name: string): number {
  let count = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const given = rawHeaders[at] as string;
    if (given.length === name.length && given.toLowerCase() === name) count++;
  }
  return count;
}

export function isTrustedHost(value: string, port: number, allowedHosts: readonly string[]): boolean {
  // What nearly every caller sends.
  if (value === usualHost(port)) return true;
  const host = value.trim().toLowerCase();
  const isNamed = (name: string): boolean => host === `${name}:${port}` || (port === 80 && host === name);
  if (['localhost', '[::1]'].some(isNamed)) return true;
  if (isLoopbackV4(host.replace(/:\d+$/, '')) && isNamed(host.replace(/:\d+$/, ''))) return true;
  return allowedHosts.some((allowed) => host === allowed.toLowerCase() || host === `${allowed.toLowerCase()}:${port}`);
}

let usual = { port: 0, host: '' };

function usualHost(port: number): string {
  if (usual.port !== port) usual = { port, host: `127.0.0.1:${port}` };
  return usual.host;
}

/** Whether an address, as a socket names it, is this machine's own. */
export function isLoopbackAddress(address: string | undefined): boolean {
  if (address === undefined) return false;
  if (address === '127.0.0.1') return true;
  return address === '::1' || isLoopbackV4(address.replace(/^::ffff:/i, ''));
}

function isLoopbackV4(address: string): boolean {
  const parts = address.split('.');
  return (
    parts.length === 4 &&
    parts[0] === '127' &&
    parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256)
  );
}

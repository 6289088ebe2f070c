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
  const hosts = headerValues(request.rawHeaders, 'host');
  if (hosts.length !== 1) {
    throw new AgentopsdError('invalid_request', `the request has ${hosts.length} Host headers; send exactly one`);
  }
  if (!isTrustedHost(hosts[0] as string, port, allowedHosts)) {
    throw new AgentopsdError('host_denied', 'daemon mutation denied: host is not trusted');
  }
}

/** All values of a header, in order; names in `rawHeaders` come in pairs with their values. */
function headerValues(rawHeaders: readonly string[], name: string): string[] {
  return rawHeaders.filter((_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === name);
}

export function isTrustedHost(value: string, port: number, allowedHosts: readonly string[]): boolean {
  const host = value.trim().toLowerCase();
  const isNamed = (name: string): boolean => host === `${name}:${port}` || (port === 80 && host === name);
  if (['localhost', '[::1]'].some(isNamed)) return true;
  if (isLoopbackV4(host.replace(/:\d+$/, '')) && isNamed(host.replace(/:\d+$/, ''))) return true;
  return allowedHosts.some((allowed) => host === allowed.toLowerCase() || host === `${allowed.toLowerCase()}:${port}`);
}

/** Whether an address, as a socket names it, is this machine's own. */
export function isLoopbackAddress(address: string | undefined): boolean {
  if (address === undefined) return false;
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

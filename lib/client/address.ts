/** Where a daemon may be: plain HTTP on a loopback address, nothing else, so that a token never leaves the machine. */
import { AgentopsdError } from '../base/errors.js';

/**
 * The origin of a daemon's address, such as `http://127.0.0.1:8765`.
 * @throws AgentopsdError `usage` for anything that is no loopback address, or carries more than host and port
 */
export function loopbackOrigin(address: string): string {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined) throw refused(address, 'is no address');
  if (url.protocol !== 'http:') throw refused(address, 'is not plain http');
  if (url.username !== '' || url.password !== '') throw refused('the address', 'carries a user name or password');
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '')
    throw refused(address, 'holds more than host and port');
  if (!isLoopbackHost(url.hostname)) throw refused(address, 'is not a loopback address');
  return url.origin;
}

/** `hostname` as `URL` normalises it: IPv4 in four decimals, IPv6 in brackets. */
export function isLoopbackHost(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(hostname);
}

function refused(address: string, why: string): AgentopsdError {
  return new AgentopsdError('usage', `${address} ${why}; a daemon is spoken to on this machine alone`, {
    hint: 'give an address such as http://127.0.0.1:8765',
  });
}

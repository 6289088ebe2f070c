/**
 * Who may change something. A token proves the caller; the other checks keep web pages out, which a browser would let
 * through to a loopback address. Every refusal is 403 with one of the contract's reasons, and nothing of it depends on
 * the body, which nobody has read yet.
 */
import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { AgentopsdError } from '../base/errors.js';
import type { Capability, TokenEntry } from '../storage/token-file.js';
import { isLoopbackAddress } from './host.js';

export const denials = {
  notConfigured: 'mutation token not configured',
  mismatch: 'mutation token mismatch',
  notLocal: 'remote address is not local',
  origin: 'browser origin is not trusted',
  fetchSite: 'browser fetch site is not trusted',
  localOnly: 'token requires local remote',
  capability: 'token capability outside mutation scope',
} as const;

/** What a request tells about its sender. */
export interface CallerFacts {
  readonly token: Buffer | undefined;
  readonly remoteAddress: string | undefined;
  readonly origin: string | undefined;
  readonly fetchSite: string | undefined;
}

export interface AuthRules {
  readonly tokens: readonly TokenEntry[];
  readonly allowedOrigins: readonly string[];
}

export function callerFacts(request: IncomingMessage): CallerFacts {
  return {
    token: tokenOf(request),
    remoteAddress: request.socket.remoteAddress,
    origin: request.headers.origin,
    fetchSite: oneOf(request.headers['sec-fetch-site']),
  };
}

/**
 * The name of the token that may do this.
 * @param capability undefined: any token will do (a read where reads ask for one)
 * @throws AgentopsdError `mutation_denied`
 */
export function authorize(facts: CallerFacts, capability: Capability | undefined, rules: AuthRules): string {
  if (rules.tokens.length === 0) throw denied(denials.notConfigured);
  const entry = matching(rules.tokens, facts.token);
  if (entry === undefined) throw denied(denials.mismatch);
  if (!isLoopbackAddress(facts.remoteAddress)) {
    if (entry.name === 'legacy') throw denied(denials.notLocal);
    if (entry.localOnly) throw denied(denials.localOnly);
  }
  if (facts.origin !== undefined && !rules.allowedOrigins.includes(facts.origin)) throw denied(denials.origin);
  if (!isTrustedFetchSite(facts, rules)) throw denied(denials.fetchSite);
  if (!allows(entry, capability)) throw denied(denials.capability);
  return entry.name;
}

/** A page of an allowed origin is cross-site by nature: its origin was checked, and is the stronger statement. */
function isTrustedFetchSite(facts: CallerFacts, rules: AuthRules): boolean {
  const site = facts.fetchSite?.trim().toLowerCase();
  if (site === undefined || site === 'none' || site === 'same-origin') return true;
  return facts.origin !== undefined && rules.allowedOrigins.includes(facts.origin);
}

function allows(entry: TokenEntry, capability: Capability | undefined): boolean {
  return capability === undefined || entry.capabilities.includes(capability) || entry.capabilities.includes('admin');
}

/** Compares with every token, in a time that tells nothing of how much of it was right, nor how long it should be. */
function matching(tokens: readonly TokenEntry[], given: Buffer | undefined): TokenEntry | undefined {
  if (given === undefined) return undefined;
  let found: TokenEntry | undefined;
  for (const entry of tokens) if (isToken(secretOf(entry), given)) found = entry;
  return found;
}

/** A token behind which zeros stand up to a width that many tokens share; and a place for what it is compared with. */
interface Secret {
  readonly bytes: Buffer;
  readonly padded: Buffer;
  readonly beside: Buffer;
}

/** Tokens are compared in steps of this width. */
const SECRET_BYTES = 256;
const secrets = new WeakMap<TokenEntry, Secret>();

function secretOf(entry: TokenEntry): Secret {
  const known = secrets.get(entry);
  if (known !== undefined) return known;
  const bytes = Buffer.from(entry.token, 'utf8');
  const width = Math.ceil((bytes.length + 1) / SECRET_BYTES) * SECRET_BYTES;
  const padded = Buffer.concat([bytes], width);
  const secret = { bytes, padded, beside: Buffer.alloc(width) };
  secrets.set(entry, secret);
  return secret;
}

function isToken({ bytes, padded, beside }: Secret, given: Buffer): boolean {
  if (given.length > padded.length) return false;
  beside.fill(0);
  given.copy(beside);
  const isSame = timingSafeEqual(beside, padded);
  beside.fill(0);
  return isSame && given.length === bytes.length;
}

/** The daemon's own header wins over `Authorization`; a blank one is none. Headers arrive as latin1: the bytes count. */
function tokenOf(request: IncomingMessage): Buffer | undefined {
  const own = trimmed(oneOf(request.headers['x-agentops-daemon-token']));
  const text = own === '' ? trimmed(/^bearer[ \t]+(.*)$/is.exec(request.headers.authorization ?? '')?.[1]) : own;
  return text === '' ? undefined : Buffer.from(text, 'latin1');
}

/** Blanks and tabs alone: other white space of latin1 may be half of a UTF-8 character. */
function trimmed(text: string | undefined): string {
  return text === undefined ? '' : /^[ \t]|[ \t]$/.test(text) ? text.replace(/^[ \t]+|[ \t]+$/g, '') : text;
}

function oneOf(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header.join(', ') : header;
}

function denied(reason: string): AgentopsdError {
  return new AgentopsdError('mutation_denied', `daemon mutation denied: ${reason}`);
}

/** The `actor` of an event: the way in and the token's name, never the token. */
export function actorOf(wayIn: 'ao-http' | 'openclaw-trigger', tokenName: string): string {
  return `${wayIn}:${tokenName.replace(/[./:\s]/gu, '_')}`;
}

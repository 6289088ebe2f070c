/**
 * Tokens: what a caller shows before anything is appended.
 *
 * They come from the file that `--token-file` names, else from `AGENTOPSD_TOKEN`, else from `AGENTOPS_DAEMON_TOKEN`
 * (a blank variable counts as not set), else from `token` in the home. A token file holds one plain token, or
 * `{"tokens": [{"name", "token", "capabilities": [...], "local_only"?}]}`. A plain token is called `legacy`, may do
 * everything, and is taken from the loopback address alone. One unusable entry refuses the whole file: a daemon with
 * half of its tokens would be a surprise.
 */
import { join, resolve } from 'node:path';
import { AgentopsdError } from '../base/errors.js';
import type { Json, JsonObject } from '../base/json.js';
import { isJsonObject } from '../base/json.js';
import type { FileSeams } from './atomic-file.js';
import { createFile, readSecretFile } from './atomic-file.js';
import type { Disk } from './disk.js';
import type { Environment, Home } from './home.js';

export const capabilities = ['submit_job', 'cancel_job', 'openclaw_trigger', 'admin'] as const;
export type Capability = (typeof capabilities)[number];

export interface TokenEntry {
  /** For `actor`; unique in its file. */
  readonly name: string;
  readonly token: string;
  /** `admin` stands for all of them. */
  readonly capabilities: readonly Capability[];
  /** Taken from a loopback address alone. */
  readonly localOnly: boolean;
}

const TOKEN_FILE_MAX_BYTES = 1_048_576;
const TOKEN_BYTES = 32;
const TOKEN_MAX_LETTERS = 4096;
const NAME_MAX_LETTERS = 128;
const ENTRY_MEMBERS = new Set(['name', 'token', 'capabilities', 'local_only']);
/** What an HTTP header carries unchanged, without white space. */
const HEADER_SAFE = /^[\x21-\x7e]+$/;

export interface TokenSources {
  readonly disk: Disk;
  readonly env: Environment;
  /** As the user wrote it; undefined when not given. */
  readonly tokenFile: string | undefined;
  readonly home: Pick<Home, 'folder'> | undefined;
}

/**
 * The tokens of the first source that is there; none when there is no source at all.
 * @throws AgentopsdError `token_file_unsafe` (others may read it, not there, unusable entries)
 */
export async function loadTokens(sources: TokenSources): Promise<readonly TokenEntry[]> {
  if (sources.tokenFile !== undefined) return readTokenFile(sources.disk, sources.tokenFile);
  for (const name of ['AGENTOPSD_TOKEN', 'AGENTOPS_DAEMON_TOKEN']) {
    const token = sources.env[name]?.trim();
    if (token !== undefined && token !== '') return [plainToken(token, `the variable ${name}`)];
  }
  if (sources.home === undefined) return [];
  const path = homeTokenPath(sources.home);
  const bytes = await readSecretFile(sources.disk, path, TOKEN_FILE_MAX_BYTES, 'token_file_unsafe');
  return bytes === undefined ? [] : parseTokenFile(bytes.toString('utf8'), path);
}

/** Makes the home's token unless it is there; answers whether it was made. @throws DiskError */
export async function makeToken(seams: FileSeams, home: Pick<Home, 'folder'>): Promise<boolean> {
  const path = homeTokenPath(home);
  if (seams.disk.factsSync(path) !== undefined) return false;
  const token = Buffer.from(seams.random.bytes(TOKEN_BYTES)).toString('base64url');
  return createFile(seams, path, `${token}\n`);
}

export function homeTokenPath(home: Pick<Home, 'folder'>): string {
  return join(home.folder, 'token');
}

async function readTokenFile(disk: Disk, named: string): Promise<readonly TokenEntry[]> {
  const absolute = resolve(named);
  // The user chose this path, so links on it are followed (secret mounts are made of links); the file itself is checked.
  const path = disk.factsSync(absolute)?.kind === 'link' ? await disk.realPath(absolute) : absolute;
  const bytes = await readSecretFile(disk, path, TOKEN_FILE_MAX_BYTES, 'token_file_unsafe');
  if (bytes === undefined) {
    throw new AgentopsdError('token_file_unsafe', `the token file ${named} is not there`, {
      hint: 'name a file that exists, with mode 600',
    });
  }
  return parseTokenFile(bytes.toString('utf8'), named);
}

/** @throws AgentopsdError `token_file_unsafe`, naming the entry; never a token */
export function parseTokenFile(text: string, fileName: string): readonly TokenEntry[] {
  const trimmed = text.trim();
  if (!trimmed.startsWith('{') && !trimmed.startsWith('[')) return [plainToken(trimmed, fileName)];
  const entries = tokenEntries(trimmed, fileName);
  const read = entries.map((entry, at) => readEntry(entry, `${fileName}: tokens[${at}]`));
  refuseTwins(read, fileName);
  return Object.freeze(read);
}

function plainToken(token: string, where: string): TokenEntry {
  refuseUnusableToken(token, where);
  return Object.freeze({ name: 'legacy', token, capabilities, localOnly: true });
}

function tokenEntries(text: string, fileName: string): readonly Json[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw unusable(fileName, 'is neither one plain token nor JSON');
  }
  const tokens = isJsonObject(value) ? value['tokens'] : undefined;
  if (!Array.isArray(tokens) || tokens.length === 0)
    throw unusable(fileName, 'holds no list "tokens" with an entry in it');
  return tokens;
}

function readEntry(entry: Json, where: string): TokenEntry {
  if (!isJsonObject(entry)) throw unusable(where, 'is no object');
  const unknown = Object.keys(entry).find((member) => !ENTRY_MEMBERS.has(member));
  if (unknown !== undefined) throw unusable(where, `has a member "${unknown}" that nobody knows`);
  const { name, token, local_only: localOnly = false } = entry as JsonObject;
  if (typeof name !== 'string' || name.trim() === '' || name.length > NAME_MAX_LETTERS || /\p{Cc}/u.test(name)) {
    throw unusable(where, `has no usable "name" (1 to ${NAME_MAX_LETTERS} letters, no control characters)`);
  }
  if (typeof token !== 'string') throw unusable(where, 'has no "token"');
  refuseUnusableToken(token.trim(), where);
  if (typeof localOnly !== 'boolean') throw unusable(where, 'has a "local_only" that is neither true nor false');
  return Object.freeze({
    name: name.trim(),
    token: token.trim(),
    capabilities: readCapabilities(entry['capabilities'], where),
    localOnly,
  });
}

function readCapabilities(value: Json | undefined, where: string): readonly Capability[] {
  if (!Array.isArray(value) || value.length === 0) throw unusable(where, 'has no "capabilities"');
  return Object.freeze(
    value.map((word) => {
      const known = capabilities.find((capability) => capability === word);
      if (known === undefined)
        throw unusable(where, `has a capability that nobody knows; there are ${capabilities.join(', ')}`);
      return known;
    }),
  );
}

function refuseUnusableToken(token: string, where: string): void {
  if (token === '') throw unusable(where, 'holds an empty token');
  if (token.length > TOKEN_MAX_LETTERS)
    throw unusable(where, `holds a token of more than ${TOKEN_MAX_LETTERS} letters`);
  if (!HEADER_SAFE.test(token))
    throw unusable(where, 'holds a token with white space or letters that an HTTP header does not carry');
}

function refuseTwins(entries: readonly TokenEntry[], fileName: string): void {
  if (new Set(entries.map((entry) => entry.name)).size !== entries.length)
    throw unusable(fileName, 'uses one name twice');
  if (new Set(entries.map((entry) => entry.token)).size !== entries.length)
    throw unusable(fileName, 'uses one token twice');
}

function unusable(where: string, what: string): AgentopsdError {
  return new AgentopsdError('token_file_unsafe', `${where} ${what}`, {
    hint: 'a token file is one plain token, or {"tokens": [{"name", "token", "capabilities", "local_only"?}]}',
  });
}

/**
 * What a configuration may run is trusted once, by a person, and kept in the home as `trust.json`: a repository can
 * deliver a configuration, but not the trust in it.
 *
 *   {schema_version: 1, hash, declared}
 *
 * `hash` is the SHA-256 over root, executors, agents and a permission for commands in payloads; it alone decides.
 * `declared` is what it was taken of, kept so that a change can be shown. Trust names command lines: not what stands in
 * the scripts that they start.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { canonicalJson } from '../base/canonical.js';
import { isJsonObject, type Json, type JsonObject } from '../base/json.js';
import { safeLine } from '../base/text.js';
import type { Declared } from '../model/configuration.js';
import { type FileSeams, readSecretFile, replaceFile } from './atomic-file.js';
import type { Disk } from './disk.js';
import type { Home } from './home.js';

type TrustHome = Pick<Home, 'folder' | 'root'>;

export interface TrustStanding {
  readonly trusted: boolean;
  /** What would run, a line for each. */
  readonly runs: readonly string[];
  /** What is new (`+ …`) or gone (`- …`) since the last trust; the same as `runs`, each with `+`, when there was none. */
  readonly changes: readonly string[];
}

const TRUST_FILE = 'trust.json';
/** A configuration is smaller, and this holds one in canonical form. */
const TRUST_FILE_MAX_BYTES = 16_777_216;

/** @throws AgentopsdError `file_unsafe` when others may write the record */
export async function trustStanding(disk: Disk, home: TrustHome, declared: Declared): Promise<TrustStanding> {
  const record = await readRecord(disk, home);
  const runs = describeDeclared(declared);
  const before = record === undefined ? [] : describeDeclared(record.declared);
  const changes = [
    ...before.filter((line) => !runs.includes(line)).map((line) => `- ${line}`),
    ...runs.filter((line) => !before.includes(line)).map((line) => `+ ${line}`),
  ];
  return { trusted: runsNothing(declared) || record?.hash === hashOf(home.root, declared), runs, changes };
}

/** Trusts `declared` as it stands, instead of what was trusted before. Durable when it resolves. @throws DiskError */
export async function trustConfiguration(seams: FileSeams, home: TrustHome, declared: Declared): Promise<void> {
  const record = { schema_version: 1, hash: hashOf(home.root, declared), declared: plain(declared) };
  await replaceFile(seams, join(home.folder, TRUST_FILE), `${canonicalJson(record)}\n`);
}

/** Whether it names no program at all: such a configuration needs no trust. */
export function runsNothing(declared: Declared): boolean {
  return (
    !declared.allow_payload_commands &&
    Object.keys(declared.agents).length === 0 &&
    Object.values(declared.executors).every(isOff)
  );
}

/** What would run, a line for each, safe to print: `wiki.forge: command node tools/forge.mjs (also gets FORGE_MODEL)`. */
export function describeDeclared({ executors, agents, allow_payload_commands }: Declared): string[] {
  const lines = Object.entries(executors).map(([type, executor]) => `${type}: ${describeExecutor(executor)}`);
  lines.push(...Object.entries(agents).map(([name, agent]) => `agent ${name}: ${describeCommand(agent)}`));
  if (allow_payload_commands)
    lines.push('allow_payload_commands: commands that stand in a payload or in a suite of evals run too');
  return lines.map(safeLine);
}

function describeExecutor(executor: Json): string {
  if (isOff(executor) || !isJsonObject(executor)) return 'off';
  if ('agent' in executor) return `agent ${String(executor['agent'])}`;
  if ('module' in executor) return `module ${String(executor['module'])}`;
  return `command ${describeCommand(executor)}`;
}

function describeCommand(settings: Json): string {
  if (!isJsonObject(settings)) return 'nothing';
  const words = listOf(settings['command']).map((word) =>
    /^[\w@%+=:,./-]+$/.test(word) ? word : JSON.stringify(word),
  );
  const names = listOf(settings['env']);
  return `${words.join(' ')}${names.length === 0 ? '' : ` (also gets ${names.join(', ')})`}`;
}

function listOf(value: Json | undefined): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

function isOff(executor: Json): boolean {
  return executor === 'off' || executor === false;
}

function plain({ executors, agents, allow_payload_commands }: Declared): JsonObject {
  return { executors, agents, allow_payload_commands };
}

function hashOf(root: string, declared: Declared): string {
  return createHash('sha256')
    .update(canonicalJson({ root, ...plain(declared) }), 'utf8')
    .digest('hex');
}

/** A record that can't be read as one counts as none: then nothing is trusted. */
async function readRecord(disk: Disk, home: TrustHome): Promise<{ hash: string; declared: Declared } | undefined> {
  const bytes = await readSecretFile(disk, join(home.folder, TRUST_FILE), TRUST_FILE_MAX_BYTES, 'file_unsafe');
  let value: unknown;
  try {
    value = JSON.parse((bytes ?? Buffer.alloc(0)).toString('utf8'));
  } catch {
    return undefined;
  }
  const { schema_version, hash, declared } = isJsonObject(value) ? value : {};
  if (schema_version !== 1 || typeof hash !== 'string' || !isJsonObject(declared)) return undefined;
  const { executors, agents, allow_payload_commands } = declared;
  if (!isJsonObject(executors) || !isJsonObject(agents)) return undefined;
  return { hash, declared: { executors, agents, allow_payload_commands: allow_payload_commands === true } };
}

/**
 * Damage to the ledger of a stopped server, as a disk or a careless hand would do it. A ledger of lines is damaged here;
 * any other by the owner's hook. Bytes keep their places wherever that is possible.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { NotTested } from '../check.js';
import type { Command, Profile } from '../profile.js';
import { globSync } from './files.js';

/** `middle`: a record that is not the last is no record any more. `cache`: garbage in every file that only speeds up. */
export type Damage = 'middle' | 'torn-tail' | 'bad-meaning' | 'cache';

const LINES = /^(jsonl|ndjson|json-lines)$/i;
const HOOK_WITHIN_MS = 30_000;
/** Exit code of a hook for damage that it does not know how to do. */
const HOOK_CANNOT = 3;

/** Whether the profile says how its ledger is damaged at all. */
export function canDamage({ ledger }: Profile): boolean {
  return ledger !== undefined && (ledger.corruptHook !== undefined || LINES.test(ledger.format));
}

/** @throws NotTested */
export async function damageLedger(profile: Profile, dataDir: string, kind: Damage): Promise<void> {
  const { ledger } = profile;
  if (ledger === undefined) throw new NotTested('the profile does not say where the ledger is (ledger.paths)');
  if (kind === 'cache' && ledger.caches.length > 0) return spoil(filesOf(dataDir, ledger.caches));
  if (ledger.corruptHook !== undefined) return runHook(ledger.corruptHook, profile, dataDir, kind);
  if (kind === 'cache') throw new NotTested('the profile declares no caches (ledger.caches)');
  if (!LINES.test(ledger.format)) {
    throw new NotTested(`a ledger of format ${ledger.format} needs ledger.corrupt_hook`);
  }
  const files = filesOf(dataDir, ledger.paths);
  const last = files.filter((file) => statSync(file).size > 0).at(-1);
  if (last === undefined) throw new NotTested(`no file of the ledger matches ${ledger.paths.join(', ')}`);
  damageLines(last, kind);
}

/** In the order of their names. */
export function filesOf(dataDir: string, patterns: readonly string[]): string[] {
  return globSync(dataDir, patterns).map((path) => join(dataDir, path));
}

function spoil(files: readonly string[]): void {
  if (files.length === 0) throw new NotTested('no cache is there to be spoiled');
  for (const file of files) writeFileSync(file, '\u0000garbage{"jobs":[');
}

function runHook(hook: Command, { folder }: Profile, dataDir: string, kind: Damage): void {
  const fill = (text: string): string =>
    text.replaceAll('{data_dir}', dataDir).replaceAll('{damage}', kind).replaceAll('{profile_dir}', folder);
  const [program = '', ...rest] = hook.map(fill);
  const { status, error, stderr } = spawnSync(program, rest, {
    timeout: HOOK_WITHIN_MS,
    encoding: 'utf8',
    env: { ...process.env, JOBSPEC_DAMAGE: kind, JOBSPEC_DATA_DIR: dataDir },
  });
  if (status === HOOK_CANNOT) throw new NotTested(`ledger.corrupt_hook does not do "${kind}"`);
  if (status !== 0)
    throw new NotTested(`ledger.corrupt_hook failed: ${error?.message ?? `${status} ${stderr.trim()}`}`);
}

function damageLines(file: string, kind: Exclude<Damage, 'cache'>): void {
  const bytes = readFileSync(file);
  const lines = linesOf(bytes);
  if (kind === 'torn-tail') {
    const last = lines.at(-1);
    if (last === undefined) throw new NotTested('the ledger has no record');
    writeFileSync(file, bytes.subarray(0, last.from + Math.floor((last.to - last.from) / 2)));
    return;
  }
  if (kind === 'bad-meaning') {
    const line = lines.slice(0, -1).find(({ from, to }) => JOB_TYPE.test(bytes.toString('latin1', from, to)));
    if (line === undefined) throw new NotTested('no record of the ledger holds a job_type as JSON');
    const text = bytes.toString('latin1', line.from, line.to);
    const other = text.replace(JOB_TYPE, (_, before: string, type: string) => `${before}"${'x'.repeat(type.length)}"`);
    Buffer.from(other, 'latin1').copy(bytes, line.from);
  } else {
    const line = lines[Math.floor((lines.length - 1) / 2)];
    if (line === undefined || lines.length < 2) throw new NotTested('the ledger has no record before the last one');
    bytes.fill('#', line.from, line.from + Math.max(1, Math.floor((line.to - line.from) / 2)));
  }
  writeFileSync(file, bytes);
}

const JOB_TYPE = /("job_type"\s*:\s*)"([^"]+)"/;

/** Without the ends of the lines; an unfinished last one counts. */
function linesOf(bytes: Buffer): { from: number; to: number }[] {
  const lines: { from: number; to: number }[] = [];
  for (let from = 0; from < bytes.length; ) {
    const end = bytes.indexOf(10, from);
    const to = end < 0 ? bytes.length : end;
    if (to > from) lines.push({ from, to });
    from = to + 1;
  }
  return lines;
}

/** The daemon's own profile, changed: another program in its place, other members. */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { OWN_PROFILE } from './program.js';

const SEED_DIR = join(dirname(OWN_PROFILE), 'agentopsd');

export interface WrittenProfile {
  start: { command: string[]; command_without_workers: string[]; env: Record<string, string> };
  options: string[];
  [member: string]: unknown;
}

/**
 * Lays it into a folder, with what it copies from. Returns its path.
 * @param program absolute path of a module that takes the arguments of `agentopsd run`
 * @param edit changes the profile, and what it copies from, `agentopsd` in the folder
 */
export function writeProfile(folder: string, program: string, edit: (profile: WrittenProfile) => void): string {
  const profile = JSON.parse(readFileSync(OWN_PROFILE, 'utf8')) as WrittenProfile;
  const other = (words: string[]): string[] =>
    words.map((word) => (word.endsWith('/dist/lib/cli/main.js') ? program : word));
  const { start } = profile;
  start.command = other(start.command);
  start.command_without_workers = other(start.command_without_workers);
  cpSync(SEED_DIR, join(folder, 'agentopsd'), { recursive: true });
  edit(profile);
  const path = join(folder, 'jobspec.profile.json');
  writeFileSync(path, JSON.stringify(profile));
  return path;
}

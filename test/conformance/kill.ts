/** One mistake held against the check that has to see it: whether it was made at all, and what the program said. */
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Mistake } from './mistakes/mistake.js';
import { judged, OWN_PROFILE } from './program.js';

const MISTAKEN_DAEMON = fileURLToPath(new URL('./mistaken-daemon.js', import.meta.url));
const SEED_DIR = join(dirname(OWN_PROFILE), 'agentopsd');
/** Verdicts by which a check says that something is wrong, each for another severity. */
const COMPLAINTS = ['fail', 'warn', 'info'];

export interface Kill {
  readonly check: string;
  readonly what: string;
  /** How often the mistake changed something; 0 proves nothing, whatever the check says. */
  readonly made: number;
  readonly verdict: string;
  readonly killed: boolean;
  /** Other checks of the same run that complained. */
  readonly others: readonly string[];
  /** Why not, where it was not. */
  readonly told: string;
}

/** Runs the check, and those that bring about what the mistake shows in, against a daemon that makes it. */
export async function kill(mistake: Mistake): Promise<Kill> {
  const folder = mkdtempSync(join(tmpdir(), 'conformance-mistake-'));
  try {
    const marks = join(folder, 'marks');
    const profile = join(folder, 'jobspec.profile.json');
    writeFileSync(profile, JSON.stringify(profileOf(mistake, marks)));
    cpSync(SEED_DIR, join(folder, 'agentopsd'), { recursive: true });
    const only = [mistake.check, ...mistake.beside].join(',');
    const { report } = await judged('--profile', profile, '--only', only, '--quiet');
    const complaining = report.checks.filter(({ verdict }) => COMPLAINTS.includes(verdict));
    const own = report.checks.find(({ id }) => id === mistake.check);
    const made = existsSync(marks) ? statSync(marks).size : 0;
    return {
      check: mistake.check,
      what: mistake.what,
      made,
      verdict: own?.verdict ?? 'absent',
      killed: made > 0 && complaining.some(({ id }) => id === mistake.check),
      others: complaining.map(({ id }) => id).filter((id) => id !== mistake.check && !mistake.beside.includes(id)),
      told: made === 0 ? 'the mistake was never made' : (own?.reason ?? own?.observed ?? ''),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface WrittenProfile {
  start: { command: string[]; command_without_workers: string[]; env: Record<string, string> };
  options: string[];
}

/** The profile of the daemon itself, with the mistaken one in its place. */
function profileOf({ check }: Mistake, marks: string): WrittenProfile {
  const profile = JSON.parse(readFileSync(OWN_PROFILE, 'utf8')) as WrittenProfile;
  const mistaken = (words: string[]): string[] =>
    words.map((word) => (word.endsWith('/dist/lib/cli/main.js') ? MISTAKEN_DAEMON : word));
  const { start } = profile;
  start.command = mistaken(start.command);
  start.command_without_workers = mistaken(start.command_without_workers);
  start.env = { ...start.env, AGENTOPSD_MISTAKE: check, AGENTOPSD_MISTAKE_MARKS: marks };
  // Opt-in, and never asked of others.
  if (check.endsWith('.fsync-probe')) profile.options.push('fsync-probe');
  return profile;
}

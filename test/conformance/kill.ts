/** One mistake held against the check that has to see it: whether it was made at all, and what the program said. */
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { needsOf, readCatalogue } from '../../spec/conformance/catalogue.js';
import type { ReportedCheck } from '../../spec/conformance/report/report.js';
import type { Mistake } from './mistakes/mistake.js';
import { writeProfile } from './own-profile.js';
import { judged } from './program.js';

const MISTAKEN_DAEMON = fileURLToPath(new URL('./mistaken-daemon.js', import.meta.url));
/** Verdicts by which a check says that something is wrong, each for another severity. */
const COMPLAINTS = ['fail', 'warn', 'info'];

export interface Kill {
  readonly check: string;
  readonly what: string;
  /** How often the mistake changed something; 0 proves nothing, whatever the check says. */
  readonly made: number;
  readonly verdict: string;
  readonly killed: boolean;
  /** Other checks of the same run that complained, and what each said. */
  readonly others: readonly ReportedCheck[];
  /** Why not, where it was not. */
  readonly told: string;
}

/** All that need neither a server of their own nor workers: what else is said of a mistake. */
const WIDE = readCatalogue().filter((entry) => needsOf(entry).every((need) => need === 'url' || need === 'token'));

/**
 * Runs the check, and those that bring about what the mistake shows in, against a daemon that makes it.
 * @param wide runs the others too, those that are quick: who else complains
 */
export async function kill(mistake: Mistake, wide = false): Promise<Kill> {
  const folder = mkdtempSync(join(tmpdir(), 'conformance-mistake-'));
  try {
    const marks = join(folder, 'marks');
    const profile = writeProfile(folder, MISTAKEN_DAEMON, ({ start, options }) => {
      Object.assign(start.env, { AGENTOPSD_MISTAKE: mistake.check, AGENTOPSD_MISTAKE_MARKS: marks });
      // Opt-in, and never asked of others.
      if (mistake.check.endsWith('.fsync-probe')) options.push('fsync-probe');
    });
    const others = wide ? WIDE.map(({ id }) => id) : [];
    const only = [mistake.check, ...mistake.beside, ...others].join(',');
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
      others: complaining.filter(({ id }) => id !== mistake.check && !mistake.beside.includes(id)),
      told: made === 0 ? 'the mistake was never made' : (own?.reason ?? own?.observed ?? ''),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

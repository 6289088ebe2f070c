/** A spoiling held against the program, in this process: a fresh daemon, the proxy before it, a run of some checks. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type CatalogueEntry, readCatalogue } from '../../../spec/conformance/catalogue.js';
import { allChecks } from '../../../spec/conformance/checks/all.js';
import { profileOf } from '../../../spec/conformance/read-profile.js';
import { type RunResult, run } from '../../../spec/conformance/run/run.js';
import { selectChecks } from '../../../spec/conformance/run/selection.js';
import { verdictOf } from '../../../spec/conformance/verdict.js';
import { DaemonFolder } from '../../support/daemon.js';
import { type Changes, passer, startFront } from '../front.js';
import { OWN_PROFILE, TOKEN } from '../program.js';
import { isRight, nameOf, type Spoiling } from './spoiling.js';

export interface Judged {
  readonly name: string;
  /** How often something was changed; 0 proves nothing. */
  readonly made: number;
  /** `fail observe.health.ok`, in the order of the catalogue. */
  readonly complaints: readonly string[];
  readonly found: boolean;
  /** Whether one of the right checks complained. */
  readonly rightly: boolean;
  /** What the first of the right ones, or else of all, said. */
  readonly told: string;
  readonly seconds: number;
}

/** @param only patterns of the checks that run; what monitors say counts for all of them */
export async function judgeSpoiling(spoiling: Spoiling, only: readonly string[]): Promise<Judged> {
  const startedAt = Date.now();
  let made = 0;
  const folder = await daemonFolder();
  try {
    const { url } = await folder.startHere();
    const pass = passer(url);
    const front = await startFront(
      0,
      url,
      counting(spoiling.make({ token: TOKEN, pass }), () => (made += 1)),
    );
    try {
      const result = await runAt(front.url, only);
      return { ...judgedOf(spoiling, result), made, seconds: Math.round((Date.now() - startedAt) / 100) / 10 };
    } finally {
      await front.close();
      pass.close();
    }
  } finally {
    await folder.close();
  }
}

/** The repository of the project's own profile: jobs of a promised fate, short leases. */
async function daemonFolder(): Promise<DaemonFolder> {
  const folder = await DaemonFolder.make();
  cpSync(join(dirname(OWN_PROFILE), 'agentopsd', 'repository'), folder.root, { recursive: true });
  folder.environment['AGENTOPSD_TOKEN'] = TOKEN;
  return folder;
}

function counting(changes: Changes, note: () => void): Changes {
  const { ask, answer } = changes;
  /** An answer that never comes is a change too. */
  const noted = async <T>(change: () => T | Promise<T>): Promise<T> => {
    try {
      const changed = await change();
      if (changed !== undefined) note();
      return changed;
    } catch (error) {
      note();
      throw error;
    }
  };
  return {
    ...changes,
    ...(ask && { ask: (asked, sender) => noted(() => ask(asked, sender)) }),
    ...(answer && { answer: (given, asked, sender) => noted(() => answer(given, asked, sender)) }),
  } satisfies Changes;
}

async function runAt(url: string, only: readonly string[]): Promise<RunResult> {
  const folder = mkdtempSync(join(tmpdir(), 'conformance-spoiling-'));
  try {
    const { start: _, ledger: __, options, ...profile } = JSON.parse(readFileSync(OWN_PROFILE, 'utf8'));
    const declared = (options as string[]).filter((option) => option !== 'failpoints');
    const path = join(folder, 'jobspec.profile.json');
    writeFileSync(path, JSON.stringify({ ...profile, options: declared, base_url: url }));
    const catalogue = readCatalogue();
    return await run({
      profile: profileOf({
        profilePath: path,
        environment: { AGENTOPSD_TOKEN: TOKEN },
        checkIds: catalogue.map(({ id }) => id),
      }),
      selected: selectChecks(catalogue, allChecks, only.join(',')),
      seed: '1',
      progress: () => {},
      interrupted: new Promise(() => {}),
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function judgedOf(spoiling: Spoiling, { done, findings }: RunResult): Omit<Judged, 'made' | 'seconds'> {
  const outcomes = new Map(done.map(({ selected, outcome }) => [selected.entry.id, outcome]));
  const bad = readCatalogue()
    .map((entry) => ({
      entry,
      verdict: verdictOf(entry.severity, findings.of(entry.id), outcomes.get(entry.id) ?? { kind: 'ran' }),
    }))
    .filter(({ verdict }) => ['fail', 'warn', 'info', 'error'].includes(verdict));
  const right = bad.filter(({ entry }) => isRight(spoiling, entry.id));
  const first: CatalogueEntry | undefined = (right[0] ?? bad[0])?.entry;
  const [finding] = first === undefined ? [] : findings.of(first.id);
  return {
    name: nameOf(spoiling),
    complaints: bad.map(({ entry, verdict }) => `${verdict} ${entry.id}`),
    found: bad.length > 0,
    rightly: right.length > 0,
    told:
      finding === undefined
        ? ''
        : `${finding.expected} | ${finding.observed}`.replace(/[\s\u2028]+/g, ' ').slice(0, 300),
  };
}

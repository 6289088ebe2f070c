/** What a run says, as data: the one source of every form that it is written in. Nothing in it holds the token. */
import { type CatalogueEntry, idMatches, type Level, levels, type Severity } from '../catalogue.js';
import type { Finding, Findings } from '../findings.js';
import type { Exception, Profile } from '../profile.js';
import { redactData, redactor } from '../redaction.js';
import type { Done, RunResult } from '../run/run.js';
import { curlOf } from '../target/curl.js';
import {
  exitCodeOf,
  type Judged,
  type LevelVerdict,
  levelVerdict,
  type Verdict,
  verdictOf,
  weightOf,
} from '../verdict.js';
import { alarms, seenBeside } from './alarms.js';

export interface ReportedFinding {
  readonly severity: Severity;
  readonly expected: string;
  readonly observed: string;
  readonly curl?: string;
}

export interface ReportedCheck {
  readonly id: string;
  readonly level: Level;
  readonly severity: Severity;
  readonly verdict: Verdict;
  readonly needs: string;
  readonly source: string;
  readonly steps: string;
  /** As the catalogue has it. */
  readonly asks: string;
  /** The mistake that it is there for. */
  readonly catches: string;
  readonly duration_ms: number;
  /** Why it was not tested, is not applicable, not supported, or what went wrong in this program. */
  readonly reason?: string;
  readonly known_failure?: { readonly reason: string; readonly issue?: string };
  /** Of the heaviest finding. */
  readonly expected?: string;
  readonly observed?: string;
  readonly curl?: string;
  readonly findings: readonly ReportedFinding[];
}

export interface Report {
  readonly suite: {
    readonly name: string;
    readonly version: string;
    readonly contract: string;
    readonly checks: number;
  };
  readonly target: {
    readonly implementation: string;
    readonly version?: string;
    readonly base_url: string;
    /** How it was reached: an address, one with a token, or a process of this program. */
    readonly mode: 'url' | 'token' | 'process';
    readonly claims: readonly Level[];
  };
  readonly seed: string;
  readonly run_prefix: string;
  readonly started_at: string;
  readonly duration_ms: number;
  readonly exit_code: number;
  readonly levels: Readonly<Partial<Record<Level, LevelVerdict>>>;
  readonly totals: Readonly<Record<Verdict, number>>;
  /** Checks of the catalogue that this run left out. */
  readonly left_out: number;
  readonly traffic: {
    readonly answers: number;
    readonly forbidden: number;
    readonly accepted: number;
    readonly events: number;
  };
  readonly warnings: readonly string[];
  readonly checks: readonly ReportedCheck[];
}

export interface ReportParts {
  readonly profile: Profile;
  readonly catalogue: readonly CatalogueEntry[];
  readonly claimed: readonly Level[];
  readonly result: RunResult;
  readonly seed: string;
  readonly version: string;
  readonly startedAt: number;
}

export function reportOf(parts: ReportParts): Report {
  const { profile, catalogue, claimed, result } = parts;
  const checks = result.done.map((done) => checkOf(done, result.findings, profile));
  const ran = new Set(checks.map(({ id }) => id));
  const missing = catalogue.filter(({ id, level }) => claimed.includes(level) && !ran.has(id));
  const judged: Judged[] = [...checks, ...missing.map((entry) => ({ ...entry, verdict: 'not-tested' as const }))];
  const report: Report = {
    suite: { name: 'jobspec-conformance', version: parts.version, contract: 'JobSpec v0', checks: catalogue.length },
    target: {
      implementation: profile.implementation,
      ...(profile.version === undefined ? {} : { version: profile.version }),
      base_url: profile.baseUrl,
      mode: modeOf(profile),
      claims: claimed,
    },
    seed: parts.seed,
    run_prefix: result.prefix,
    started_at: new Date(parts.startedAt).toISOString(),
    duration_ms: Date.now() - parts.startedAt,
    exit_code: exitCodeOf(judged, claimed),
    levels: Object.fromEntries(claimedInOrder(claimed).map((level) => [level, levelVerdict(judged, level)])),
    totals: totalsOf(checks),
    left_out: missing.length,
    traffic: { ...result.traffic },
    warnings: [
      ...alarms(result.traffic, profile),
      ...knownOnes(checks),
      ...passingNow(checks),
      ...seenBeside(result.findings, (check) => ran.has(check)),
      ...leftOut(missing.length),
    ],
    checks,
  };
  return redactData(report, redactor([profile.token]));
}

function modeOf({ start, token }: Profile): Report['target']['mode'] {
  if (start !== undefined) return 'process';
  return token === undefined ? 'url' : 'token';
}

function claimedInOrder(claimed: readonly Level[]): readonly Level[] {
  return levels.filter((level) => claimed.includes(level));
}

function checkOf({ selected, outcome, ms }: Done, all: Findings, profile: Profile): ReportedCheck {
  const { entry } = selected;
  const found = all.of(entry.id);
  const verdict = verdictOf(entry.severity, found, outcome);
  const reported = verdict === 'unsupported' ? [] : byWeight(found, entry.severity);
  const findings = reported.map((finding) => findingOf(finding, profile));
  const [heaviest] = findings;
  const known = profile.knownFailures.find(({ check }) => idMatches(entry.id, check));
  return {
    id: entry.id,
    level: entry.level,
    severity: entry.severity,
    verdict,
    needs: entry.needs,
    source: entry.source,
    steps: entry.steps,
    asks: entry.expected,
    catches: entry.mutant,
    duration_ms: ms,
    ...(outcome.kind === 'ran' ? {} : { reason: outcome.reason }),
    ...(known === undefined ? {} : { known_failure: knownOf(known) }),
    ...(heaviest === undefined ? {} : partsOf(heaviest)),
    findings,
  };
}

function knownOf({ reason, issue }: Exception): { reason: string; issue?: string } {
  return { reason, ...(issue === undefined ? {} : { issue }) };
}

function byWeight(findings: readonly Finding[], severity: Severity): Finding[] {
  return [...findings].sort((a, b) => weightOf(b, severity) - weightOf(a, severity));
}

function findingOf({ severity, expected, observed, request }: Finding, profile: Profile): ReportedFinding {
  const curl = request === undefined ? undefined : curlOf(request, profile.token, profile.tokenEnv);
  return { severity, expected, observed, ...(curl === undefined ? {} : { curl }) };
}

function partsOf({ expected, observed, curl }: ReportedFinding): Pick<ReportedCheck, 'expected' | 'observed' | 'curl'> {
  return { expected, observed, ...(curl === undefined ? {} : { curl }) };
}

function totalsOf(checks: readonly ReportedCheck[]): Record<Verdict, number> {
  const totals = { pass: 0, fail: 0, warn: 0, info: 0, 'n/a': 0, unsupported: 0, 'not-tested': 0, error: 0 };
  for (const { verdict } of checks) totals[verdict] += 1;
  return totals;
}

/** They are told apart, and count as all others do. */
function knownOnes(checks: readonly ReportedCheck[]): string[] {
  const failing = checks.filter(({ verdict }) => verdict === 'fail' || verdict === 'warn' || verdict === 'info');
  const known = failing.filter(({ known_failure }) => known_failure !== undefined).length;
  if (known === 0) return [];
  return [
    `${known} of ${failing.length} checks with findings are listed under known_failures: they count as all others do`,
  ];
}

function passingNow(checks: readonly ReportedCheck[]): string[] {
  return checks
    .filter(({ known_failure, verdict }) => known_failure !== undefined && verdict === 'pass')
    .map(({ id }) => `${id} is listed under known_failures and passes now: take it out`);
}

function leftOut(count: number): string[] {
  return count === 0 ? [] : [`${count} checks of the claimed levels were left out (--only): no level can be complete`];
}

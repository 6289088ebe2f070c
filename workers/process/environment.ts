/**
 * The environment of a child process: a short list of the usual variables, those that the configuration names, and our
 * own. Never the daemon's whole environment, and never its token: agents hand every variable on to the tools they run.
 */
import { MARKER_VARIABLE, type WorkerTask } from '../../lib/model/worker-protocol.js';

export type Variables = Readonly<Record<string, string | undefined>>;

export const DEFAULT_PATH = '/usr/local/bin:/usr/bin:/bin';

const usual: ReadonlySet<string> = new Set([
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'SHELL',
  'LANG',
  'TZ',
  'TMPDIR',
  'TERM',
]);
/** They let their holder submit and cancel: no list can pass them on. */
const secret: ReadonlySet<string> = new Set(['AGENTOPSD_TOKEN', 'AGENTOPS_DAEMON_TOKEN']);

export interface EnvironmentOptions {
  /** The daemon's variables, or what the thread sees of them. */
  readonly source: Variables;
  /** Names that pass beside the usual ones. */
  readonly passEnv?: readonly string[] | undefined;
  /** Variables to set. */
  readonly env?: Variables | undefined;
}

/** Our own variables win over everything else: the marker decides what is ended, and the rest says whose work it is. */
export function childEnvironment(
  task: Pick<WorkerTask, 'job' | 'claim' | 'runDir'>,
  options: EnvironmentOptions,
): Record<string, string> {
  const passing = new Set(options.passEnv ?? []);
  const inherited = Object.entries(options.source).filter(
    ([name]) => usual.has(name) || name.startsWith('LC_') || passing.has(name),
  );
  const wanted = [['PATH', DEFAULT_PATH] as const, ...inherited, ...Object.entries(options.env ?? {})];
  const environment: Record<string, string> = {};
  for (const [name, value] of wanted) if (value !== undefined && !secret.has(name)) environment[name] = value;
  return { ...environment, ...ownVariables(task) };
}

function ownVariables({ job, claim, runDir }: Pick<WorkerTask, 'job' | 'claim' | 'runDir'>): Record<string, string> {
  return {
    AGENTOPS_JOB_ID: job.job_id,
    AGENTOPS_JOB_TYPE: job.job_type,
    AGENTOPS_ATTEMPT: String(job.attempt),
    AGENTOPS_LEASE_EPOCH: String(claim.lease_epoch),
    AGENTOPS_CLAIM: claim.claim_token,
    AGENTOPS_RUN_DIR: runDir,
    [MARKER_VARIABLE]: claim.marker,
  };
}

/**
 * The one way in which jobs call git. A repository can deliver configuration that runs programs: hooks, filters, a file
 * system monitor, helpers for credentials and differences, transports. None of that runs here, nothing is asked of a
 * terminal, nothing is fetched, and both output and time are bounded.
 *
 * Settings go by the environment (`GIT_CONFIG_KEY_n`), which wins over every file. Filters and drivers have names of
 * their own: they are looked up before each call, in what the repository configures, and emptied. What the machine's
 * user has configured for himself, such as `safe.directory`, still counts.
 *
 * The repository is the one whose files stand in the folder itself: git looks no further up.
 */
import { dirname } from 'node:path';
import type { JobContext } from './context.js';
import { failure } from './failure.js';

export type GitContext = Pick<JobContext, 'spawn' | 'signal' | 'root'>;

export interface GitOptions {
  /** Absolute folder; default: the root. */
  readonly cwd?: string;
  /** Absolute path of an index to use in place of the repository's own. */
  readonly indexFile?: string;
}

export interface GitResult {
  readonly exitCode: number;
  readonly stdout: string;
}

export const gitLimits = Object.freeze({
  /** Of what a call prints. */
  outputBytes: 8_388_608,
  /** Of one call. */
  timeoutMs: 300_000,
});

const settings: readonly (readonly [name: string, value: string])[] = [
  ['core.hooksPath', '/dev/null'],
  ['core.fsmonitor', 'false'],
  ['core.sshCommand', 'false'],
  ['core.gitProxy', ''],
  ['core.alternateRefsCommand', 'false'],
  ['core.askPass', ''],
  ['core.editor', 'false'],
  ['core.pager', 'cat'],
  ['core.quotePath', 'true'],
  ['credential.helper', ''],
  ['diff.external', ''],
  ['diff.submodule', 'short'],
  ['diff.ignoreSubmodules', 'dirty'],
  ['diff.noprefix', 'false'],
  ['diff.mnemonicPrefix', 'false'],
  ['status.submoduleSummary', 'false'],
  ['submodule.recurse', 'false'],
  ['gpg.program', 'false'],
  ['gc.auto', '0'],
  ['maintenance.auto', 'false'],
  ['protocol.allow', 'never'],
];

const environment = Object.freeze({
  GIT_TERMINAL_PROMPT: '0',
  GIT_ASKPASS: 'false',
  SSH_ASKPASS: 'false',
  GIT_EDITOR: 'false',
  GIT_PAGER: 'cat',
  GIT_OPTIONAL_LOCKS: '0',
  // Wins over every `protocol.<name>.allow` of a repository: no transport has this name.
  GIT_ALLOW_PROTOCOL: 'none',
  GIT_NO_LAZY_FETCH: '1',
  GIT_LFS_SKIP_SMUDGE: '1',
  LC_ALL: 'C',
});

/**
 * @returns how it ended and what it printed, lines without a carriage return; what it complains about is in `output.log`
 * @throws JobFailure `provider_unreachable` when git is not there, is ended by a limit or a signal; `request_rejected`
 * when it prints too much; the signal's reason when the attempt is to stop
 */
export async function git(context: GitContext, args: readonly string[], options: GitOptions = {}): Promise<GitResult> {
  const listed = await call(context, ['config', '--list', '--includes', '--show-scope', '--name-only'], options, []);
  return call(context, args, options, listed.exitCode === 0 ? driversOff(listed.stdout) : []);
}

async function call(
  context: GitContext,
  args: readonly string[],
  { cwd = context.root, indexFile }: GitOptions,
  more: typeof settings,
): Promise<GitResult> {
  context.signal.throwIfAborted();
  const lines: string[] = [];
  let bytes = 0;
  const end = await context.spawn('git', ['--no-pager', ...args], {
    cwd,
    env: {
      ...environment,
      ...asVariables([...settings, ...more]),
      GIT_CEILING_DIRECTORIES: dirname(cwd),
      ...(indexFile === undefined ? {} : { GIT_INDEX_FILE: indexFile }),
    },
    timeoutMs: gitLimits.timeoutMs,
    idleMs: gitLimits.timeoutMs,
    log: false,
    onLine: (line) => {
      bytes += Buffer.byteLength(line) + 1;
      if (bytes > gitLimits.outputBytes) {
        throw failure('request_rejected', `git ${args[0]} prints more than ${gitLimits.outputBytes} bytes`);
      }
      lines.push(line);
    },
  });
  context.signal.throwIfAborted();
  if (end.stopped !== undefined || end.exitCode === undefined) {
    const why = end.stopped === undefined ? `was ended by ${end.signal}` : `took longer than ${gitLimits.timeoutMs} ms`;
    throw failure('provider_unreachable', `git ${args[0]} ${why}`);
  }
  return { exitCode: end.exitCode, stdout: lines.join('\n') };
}

function asVariables(entries: typeof settings): Record<string, string> {
  const variables: Record<string, string> = { GIT_CONFIG_COUNT: String(entries.length) };
  for (const [at, [name, value]] of entries.entries()) {
    variables[`GIT_CONFIG_KEY_${at}`] = name;
    variables[`GIT_CONFIG_VALUE_${at}`] = value;
  }
  return variables;
}

const OF_THE_REPOSITORY = /^(?:local|worktree)\t(.*)$/;
const DRIVER =
  /^(?:filter|diff|merge|credential|remote|url|protocol)\..*\.(?:clean|smudge|process|required|command|textconv|driver|helper|vcs|uploadpack|proxy)$/i;

/** @param listing a line a setting: where it stands, a tabulator, its name */
function driversOff(listing: string): [string, string][] {
  const names = listing.split('\n').flatMap((line) => OF_THE_REPOSITORY.exec(line)?.[1] ?? []);
  return [...new Set(names)]
    .filter((name) => DRIVER.test(name))
    .map((name) => [name, name.toLowerCase().endsWith('.required') ? 'false' : '']);
}

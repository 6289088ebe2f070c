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
import { safeLine } from '../../lib/base/text.js';
import type { BuiltinContext } from '../builtin-context.js';
import { failure } from '../failure.js';

export type GitContext = Pick<BuiltinContext, 'spawn' | 'signal' | 'root'>;

export interface GitOptions {
  /** Absolute folder; default: the root. */
  readonly cwd?: string;
  /** Absolute path of an index to use in place of the repository's own. */
  readonly indexFile?: string;
  /** Absolute path of the `.git` whose tree `cwd` is taken for, whatever `cwd` itself says; default: that of `cwd`. */
  readonly gitFolder?: string;
  /** Absolute folder that new objects go to instead of the repository, whose own are read all the same. */
  readonly newObjects?: { readonly folder: string; readonly beside: string };
  /** Settings of this call beside the usual ones. */
  readonly settings?: readonly (readonly [name: string, value: string])[];
  /** Of what is printed; default `gitLimits.outputBytes`. */
  readonly outputBytes?: number;
  /** What is printed beyond that ends git, and is left out, instead of failing the job. */
  readonly cut?: boolean;
}

export interface GitResult {
  /** Of a call that was cut 0. */
  readonly exitCode: number;
  /** As UTF-8. */
  readonly stdout: string;
  /** The same, byte for byte. */
  readonly bytes: Buffer;
  /** The last line that git complained with, fit for a message; '' when it did not. */
  readonly complaint: string;
  /** Whether there was more. */
  readonly cut: boolean;
}

export const gitLimits = Object.freeze({
  /** Of what a call prints. */
  outputBytes: 8_388_608,
  /** Of one call. */
  timeoutMs: 300_000,
  /** Of its last complaint. */
  complaintCharacters: 300,
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
  // An id is the commit of that id, whatever the repository would put in its place.
  GIT_NO_REPLACE_OBJECTS: '1',
  GIT_GRAFT_FILE: '/dev/null',
  GIT_LFS_SKIP_SMUDGE: '1',
  LC_ALL: 'C',
});

/** They read neither files nor their content, so that no filter or driver could run. */
const ofCommitsAlone: ReadonlySet<string> = new Set(['rev-parse', 'rev-list', 'merge-base', 'read-tree']);

/** A driver that was emptied would make these fail: they are told not to ask for one. */
const diffCommands: ReadonlySet<string> = new Set(['diff', 'diff-index', 'diff-tree', 'diff-files']);
const plainDiff = ['--no-ext-diff', '--no-textconv'];

/**
 * @returns how it ended and what it printed; all that it complains about is in `output.log`
 * @throws JobFailure `provider_unreachable` when git is not there, is ended by a limit or a signal; `request_rejected`
 * when it prints too much; the signal's reason when the attempt is to stop
 */
export async function git(context: GitContext, args: readonly string[], options: GitOptions = {}): Promise<GitResult> {
  if (ofCommitsAlone.has(args[0] ?? '')) return call(context, args, options, []);
  const wholeArgs = diffCommands.has(args[0] ?? '') ? [...args.slice(0, 1), ...plainDiff, ...args.slice(1)] : args;
  const listing = ['config', '--list', '--includes', '--show-scope', '--name-only'];
  const { cut: _, outputBytes: __, ...place } = options;
  const listed = await call(context, listing, place, []);
  return call(context, wholeArgs, options, listed.exitCode === 0 ? driversOff(listed.stdout) : []);
}

async function call(
  context: GitContext,
  args: readonly string[],
  options: GitOptions,
  more: typeof settings,
): Promise<GitResult> {
  context.signal.throwIfAborted();
  const { cwd = context.root, outputBytes = gitLimits.outputBytes, cut = false } = options;
  const enough = new AbortController();
  const printed = new Printed(outputBytes);
  let complaints = '';
  const end = await context.spawn('git', ['--no-pager', ...args], {
    cwd,
    env: {
      ...environment,
      ...asVariables([...settings, ...more, ...(options.settings ?? [])]),
      ...placeVariables(cwd, options),
    },
    timeoutMs: gitLimits.timeoutMs,
    idleMs: gitLimits.timeoutMs,
    log: false,
    ending: enough.signal,
    onOutput: (bytes) => {
      if (!printed.take(bytes)) enough.abort();
      return true;
    },
    onErrorOutput: (bytes) => {
      complaints = `${complaints}${bytes.toString('utf8')}`.slice(-4 * gitLimits.complaintCharacters);
    },
  });
  context.signal.throwIfAborted();
  const [command] = args;
  if (printed.more && !cut) {
    throw failure('request_rejected', `git ${command} prints more than ${outputBytes} bytes`);
  }
  if (!printed.more && (end.stopped !== undefined || end.exitCode === undefined)) {
    const why = end.stopped === undefined ? `was ended by ${end.signal}` : `took longer than ${gitLimits.timeoutMs} ms`;
    throw failure('provider_unreachable', `git ${command} ${why}`);
  }
  const bytes = printed.bytes();
  return {
    exitCode: printed.more ? 0 : (end.exitCode ?? 0),
    stdout: bytes.toString('utf8'),
    bytes,
    complaint: lastLine(complaints),
    cut: printed.more,
  };
}

/** Keeps what is printed up to a limit. */
class Printed {
  readonly #blocks: Buffer[] = [];
  #room: number;
  more = false;

  constructor(maxBytes: number) {
    this.#room = maxBytes;
  }

  /** @returns whether all of it had room */
  take(bytes: Buffer): boolean {
    const kept = bytes.subarray(0, this.#room);
    this.#room -= kept.length;
    if (kept.length > 0) this.#blocks.push(kept);
    this.more ||= kept.length < bytes.length;
    return !this.more;
  }

  bytes(): Buffer {
    return Buffer.concat(this.#blocks);
  }
}

function lastLine(text: string): string {
  const line = text.trimEnd().split('\n').at(-1) ?? '';
  return safeLine(line.trim()).slice(0, gitLimits.complaintCharacters).toWellFormed();
}

function placeVariables(cwd: string, { indexFile, gitFolder, newObjects }: GitOptions): Record<string, string> {
  return {
    GIT_CEILING_DIRECTORIES: dirname(cwd),
    ...(indexFile === undefined ? {} : { GIT_INDEX_FILE: indexFile }),
    ...(gitFolder === undefined ? {} : { GIT_DIR: gitFolder, GIT_WORK_TREE: cwd }),
    ...(newObjects === undefined
      ? {}
      : {
          GIT_OBJECT_DIRECTORY: newObjects.folder,
          // In quotes: a path may hold the colon that separates paths.
          GIT_ALTERNATE_OBJECT_DIRECTORIES: `"${newObjects.beside.replace(/["\\]/g, '\\$&')}"`,
        }),
  };
}

function asVariables(entries: typeof settings): Record<string, string> {
  const variables: Record<string, string> = { GIT_CONFIG_COUNT: String(entries.length) };
  for (const [at, [name, value]] of entries.entries()) {
    variables[`GIT_CONFIG_KEY_${at}`] = name;
    variables[`GIT_CONFIG_VALUE_${at}`] = value;
  }
  return variables;
}

const OF_THE_REPOSITORY = /^(?:local|worktree)\t(.*)$/s;
const DRIVER =
  /^(?:filter|diff|merge|credential|remote|url|protocol)\..*\.(?:clean|smudge|process|required|command|textconv|driver|helper|vcs|uploadpack|proxy)$/is;

/** @param listing a line a setting: where it stands, a tabulator, its name */
function driversOff(listing: string): [string, string][] {
  const names = listing.split('\n').flatMap((line) => OF_THE_REPOSITORY.exec(line)?.[1] ?? []);
  return [...new Set(names)]
    .filter((name) => DRIVER.test(name))
    .map((name) => [name, name.toLowerCase().endsWith('.required') ? 'false' : '']);
}

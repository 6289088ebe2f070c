/**
 * The git repository that a job works on, as facts: where git keeps it, and which commit a name stands for. Nothing here
 * changes it, and no name of a caller reaches git but in a form that can only be a commit or a full ref.
 */
import { failure } from '../failure.js';
import { type GitContext, type GitOptions, git } from './git.js';

export interface Repository {
  /** Absolute: `.git` itself, or what it leads to. */
  readonly gitFolder: string;
  /** Absolute: what all worktrees of the repository share. */
  readonly commonFolder: string;
}

/** A commit as its id, in lower case. */
export type CommitId = string;

/**
 * @throws a failure `request_rejected` when the root is no git repository with a tree of its own; `provider_unreachable`
 * when there is no git
 */
export async function openRepository(context: GitContext): Promise<Repository> {
  const questions = ['--show-toplevel', '--absolute-git-dir', '--git-common-dir'];
  const { exitCode, stdout, complaint } = await git(context, ['rev-parse', '--path-format=absolute', ...questions]);
  if (exitCode !== 0) {
    const why = complaint === '' ? `git answers ${exitCode}` : complaint;
    throw failure('request_rejected', `the root is no git repository that an order could be checked against: ${why}`);
  }
  const [top, gitFolder = '', commonFolder = '', ...more] = stdout.split('\n');
  if (more.length !== 1)
    throw failure('request_rejected', 'the path of the git repository holds a newline: nothing can be checked there');
  if (top !== context.root)
    throw failure(
      'request_rejected',
      'the git repository of the root has its tree elsewhere (core.worktree): an order can only be checked against the root',
    );
  return { gitFolder, commonFolder };
}

/** The commit of this id; undefined when the repository has none. */
export async function commitOfId(context: GitContext, id: CommitId): Promise<CommitId | undefined> {
  // A tag has an id too: what it names is another commit than the one that was asked for.
  return (await resolved(context, id)) === id ? id : undefined;
}

/**
 * The commit that a ref stands for; undefined when it is not there, or no commit.
 * @param name `HEAD`, a full name below `refs/`, or that of a branch, a remote branch or a tag, in this order
 */
export async function commitOfRef(context: GitContext, name: string): Promise<CommitId | undefined> {
  if (whyNoRefName(name) !== undefined) throw new Error('invariant broken: only names of refs are looked up');
  const full = name === 'HEAD' || name.startsWith('refs/');
  const candidates = full ? [name] : ['heads', 'remotes', 'tags'].map((kind) => `refs/${kind}/${name}`);
  for (const candidate of candidates) {
    const commit = await resolved(context, candidate);
    if (commit !== undefined) return commit;
  }
  return undefined;
}

async function resolved(context: GitContext, revision: string): Promise<CommitId | undefined> {
  const { exitCode, stdout } = await git(context, ['rev-parse', '--verify', '--quiet', `${revision}^{commit}`]);
  return exitCode === 0 ? stdout.trim() : undefined;
}

export async function isAncestor(context: GitContext, older: CommitId, newer: CommitId): Promise<boolean> {
  const { exitCode, complaint } = await git(context, ['merge-base', '--is-ancestor', older, newer]);
  if (exitCode > 1) throw failure('request_rejected', `git merge-base: ${complaint}`);
  return exitCode === 0;
}

export async function commitsBetween(context: GitContext, older: CommitId, newer: CommitId): Promise<number> {
  return Number((await gitOrFail(context, ['rev-list', '--count', `${older}..${newer}`])).stdout);
}

/** @throws a failure `request_rejected` with what git complains about when it does not end well */
export async function gitOrFail(context: GitContext, args: readonly string[], options: GitOptions = {}) {
  const answer = await git(context, args, options);
  if (answer.exitCode === 0) return answer;
  throw failure('request_rejected', `git ${args[0]} ended with exit code ${answer.exitCode}: ${answer.complaint}`);
}

/** Why git would not take it for the name of a ref, as `git check-ref-format` has it, and a little stricter. */
export function whyNoRefName(name: string): string | undefined {
  if (/^[-/.]/.test(name)) return `it begins with ${name[0]}`;
  if (/[/.]$/.test(name)) return `it ends with ${name.at(-1)}`;
  const wrong = /[\u0000-\u0020\u007f~^:?*[\\]|\.\.|@\{|\/\/|\/\.|\.lock(?:\/|$)|^@$/.exec(name)?.[0];
  if (wrong !== undefined) return `it holds ${JSON.stringify(wrong)}`;
  return name.isWellFormed() ? undefined : 'it holds a lone surrogate';
}

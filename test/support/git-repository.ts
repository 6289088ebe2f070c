/** A git repository to try workers on. Its commits are the same ones every time: names and times are fixed. */
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';

const environment = {
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_AUTHOR_NAME: 'Test',
  GIT_AUTHOR_EMAIL: 'test@example.com',
  GIT_AUTHOR_DATE: '2026-01-02T03:04:05Z',
  GIT_COMMITTER_NAME: 'Test',
  GIT_COMMITTER_EMAIL: 'test@example.com',
  GIT_COMMITTER_DATE: '2026-01-02T03:04:05Z',
};

export class GitRepository {
  readonly root: string;

  /** On `main`, without a commit. @param root a folder that is there */
  static init(root: string): GitRepository {
    const repository = new GitRepository(root);
    repository.run('init', '-q', '-b', 'main');
    return repository;
  }

  private constructor(root: string) {
    this.root = root;
  }

  /** @returns what it printed, trimmed. @throws Error with what git said */
  run(...words: string[]): string {
    const env = { ...process.env, ...environment };
    return execFileSync('git', words, { cwd: this.root, env, encoding: 'utf8', stdio: 'pipe' }).trim();
  }

  /** Everything that is there but `.agents`. @returns its id */
  commit(message = 'work'): string {
    this.run('add', '-A', '--', '.', ':(exclude).agents');
    this.run('commit', '-q', '--allow-empty', '-m', message);
    return this.run('rev-parse', 'HEAD');
  }

  /** Makes the same bytes of the same files: without the times of files in the index, and without logs. */
  settle(): void {
    this.run('read-tree', 'HEAD');
    rmSync(join(this.root, '.git/logs'), { recursive: true });
  }

  /** Paths of all worktrees; the first is the root itself. */
  worktrees(): string[] {
    const listed = this.run('worktree', 'list', '--porcelain').split('\n');
    return listed.filter((line) => line.startsWith('worktree ')).map((line) => line.slice('worktree '.length));
  }
}

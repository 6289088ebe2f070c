/** A repository under git around a daemon that is made to be disturbed. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { AuditedEvent } from './crash-audit.js';
import { CrashRoom } from './crash-room.js';

export class GitRoom {
  readonly room: CrashRoom;

  /** On `main`, which has a file in a first commit and nothing of ours; `bare` is a branch that stays like that. */
  static async open(): Promise<GitRoom> {
    const git = new GitRoom(await CrashRoom.open());
    git.run('init', '-q', '-b', 'main');
    writeFileSync(git.room.path('README'), 'A repository.\n');
    git.commit();
    git.run('branch', 'bare');
    return git;
  }

  /** A clone of `from` with a home of its own, as on another machine. */
  static async clone(from: GitRoom): Promise<GitRoom> {
    const git = new GitRoom(await CrashRoom.open());
    git.run('clone', '-q', from.room.root, '.');
    return git;
  }

  private constructor(room: CrashRoom) {
    this.room = room;
  }

  /** @throws Error with what git said */
  run(...words: string[]): string {
    const env = {
      ...this.room.cli.environment,
      HOME: this.room.cli.folder,
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_AUTHOR_NAME: 'Test',
      GIT_AUTHOR_EMAIL: 'test@example.com',
      GIT_COMMITTER_NAME: 'Test',
      GIT_COMMITTER_EMAIL: 'test@example.com',
    };
    return execFileSync('git', ['-c', 'gc.auto=0', ...words], {
      cwd: this.room.root,
      env,
      encoding: 'utf8',
      stdio: 'pipe',
    });
  }

  /** Removes all that git does not have; a folder that the daemon fills again meanwhile it only complains about. */
  clean(): void {
    try {
      this.run('clean', '-q', '-fdx');
    } catch (error) {
      if (!/failed to remove/.test(String(error))) throw error;
    }
  }

  commit(message = 'work'): void {
    this.run('add', '-A');
    this.run('commit', '-q', '-m', message);
  }

  /** Events in the copies that the daemon kept of what was taken away. */
  kept(): AuditedEvent[] {
    const folder = this.room.path('.agents/daemon/quarantine');
    const names = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.jsonl')) : [];
    return names
      .flatMap((name) => readFileSync(`${folder}/${name}`, 'utf8').split('\n').slice(0, -1))
      .map((line) => JSON.parse(line) as AuditedEvent)
      .filter((event) => event.event_id !== undefined);
  }

  close(): Promise<void> {
    return this.room.close();
  }
}

export const hasGit = (() => {
  try {
    execFileSync('git', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

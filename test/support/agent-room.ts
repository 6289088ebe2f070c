/** What tests of agents share. */
import { execFileSync } from 'node:child_process';

/** Runs git with an identity and without the machine's configuration; answers what it prints. */
export function gitIn(folder: string, ...args: readonly string[]): string {
  return execFileSync('git', args as string[], {
    cwd: folder,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: folder,
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_AUTHOR_NAME: 'a',
      GIT_AUTHOR_EMAIL: 'a@example.org',
      GIT_COMMITTER_NAME: 'a',
      GIT_COMMITTER_EMAIL: 'a@example.org',
    },
  });
}

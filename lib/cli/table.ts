/** What a verb is: the vocabulary of the one table (`verbs.ts`) that drives parsing, help, completion and their tests. */

export interface Flag {
  /** Without its dashes. */
  readonly name: string;
  readonly short?: string;
  /** What stands for the value in help, such as `DIR`; without it the flag is a switch. */
  readonly value?: string;
  /** The only values taken. */
  readonly choices?: readonly string[];
  readonly says: string;
}

export interface Verb {
  readonly name: string;
  readonly says: string;
  /** As help shows them: `JOB…`, `[FILE]`. */
  readonly operands: string;
  /** The least and the most of them. */
  readonly operandCount: readonly [number, number];
  readonly flags: readonly Flag[];
  /** Beside 2, 70, 130 and 143, which every verb may end with. */
  readonly exits: readonly number[];
  readonly examples: readonly string[];
  /** With one of these flags, or always, `--json` is a stream of objects instead of one document. */
  readonly streams?: 'always' | readonly string[];
  /** The verb ends by itself on SIGINT and SIGTERM. */
  readonly handlesSignals?: boolean;
}

export const exitWords: Readonly<Record<number, string>> = {
  0: 'done',
  1: 'the answer is no: a job failed, something was found',
  2: 'wrong usage',
  3: 'there is no such thing',
  4: 'the daemon is not reachable, not ready, or refuses',
  5: 'time is up; the job goes on',
  6: 'a conflict: another daemon, or a key used for something else',
  7: 'the job was cancelled',
  8: 'the ledger is unsafe to write, or could not be read',
  70: 'a bug',
  130: 'interrupted (SIGINT)',
  143: 'terminated (SIGTERM)',
};

export const globalFlags: readonly Flag[] = [
  {
    name: 'root',
    value: 'DIR',
    says: 'the repository; default: the nearest folder upward with .agents, else this one',
  },
  { name: 'url', value: 'URL', says: 'address of the daemon; default: AGENTOPSD_URL, else the one that runs here' },
  { name: 'json', says: 'one JSON document on stdout, on failure too; a stream is one object a line' },
  { name: 'quiet', short: 'q', says: 'no notes on stderr, ids alone on stdout' },
  {
    name: 'color',
    value: 'WHEN',
    choices: ['auto', 'always', 'never'],
    says: 'colours; default: auto, and never with NO_COLOR',
  },
  { name: 'help', short: 'h', says: 'this help' },
  { name: 'version', says: 'the version' },
];

/** The command line. */
import { parseArgs } from 'node:util';
import { type Level, levels } from '../catalogue.js';
import { UsageError } from '../read-profile.js';

export interface Arguments {
  readonly url: string | undefined;
  readonly tokenEnv: string | undefined;
  readonly profile: string | undefined;
  readonly level: Level | undefined;
  readonly only: string | undefined;
  readonly seed: string | undefined;
  readonly report: string | undefined;
  readonly list: boolean;
  readonly json: boolean;
  readonly quiet: boolean;
  readonly ownsTarget: boolean;
  readonly help: boolean;
  readonly version: boolean;
}

export const usage = `jobspec-conformance: what a runtime keeps of JobSpec v0

usage: jobspec-conformance --url ADDRESS [--token-env NAME]
       jobspec-conformance --profile FILE
       jobspec-conformance --list [--level LEVEL] [--json]

the target:
  --url ADDRESS          a server that runs; default http://127.0.0.1:8765
  --token-env NAME       the environment variable that holds its token; default JOBSPEC_TOKEN
  --profile FILE         what its owner promises; with a start command it is started, killed and started again
  --i-own-this-target    needed where the address is not loopback: jobs are submitted and cancelled there

the run:
  --level LEVEL          observe, enqueue, execute or project alone; default: what the profile claims, else all
  --only IDS             ids of checks, * for anything, several with commas
  --seed N               repeats the random choices of another run
  --report DIR           writes report.json, junit.xml, report.html and summary.md there
  -q, --quiet            no line for each check
  --list                 the catalogue, and no run
  --json                 with --list: as JSON
  -h, --help             this help
  --version              the version

exit codes:
  0  every claimed level is CONFORMANT
  1  a MUST failed, whether a profile lists it under known_failures or not
  2  wrong usage, or the target can't be reached
  3  a fault of this program
  4  nothing failed, but a claimed level is INCOMPLETE
`;

/** @throws UsageError */
export function argumentsOf(words: readonly string[]): Arguments {
  const values = parsed(words);
  const level = values.level;
  if (level !== undefined && !(levels as readonly string[]).includes(level)) {
    throw new UsageError(`there is no level ${level}: ${levels.join(', ')}`);
  }
  if (values.json === true && values.list !== true)
    throw new UsageError('--json goes with --list; a run writes --report');
  if (values.profile !== undefined && values['token-env'] !== undefined && values.url === undefined) {
    throw new UsageError('the profile says token_env; --token-env goes with --url');
  }
  return {
    url: values.url,
    tokenEnv: values['token-env'],
    profile: values.profile,
    level: level as Level | undefined,
    only: values.only,
    seed: values.seed,
    report: values.report,
    list: values.list === true,
    json: values.json === true,
    quiet: values.quiet === true,
    ownsTarget: values['i-own-this-target'] === true,
    help: values.help === true,
    version: values.version === true,
  };
}

function parsed(words: readonly string[]) {
  try {
    return parseArgs({
      args: [...words],
      allowPositionals: false,
      options: {
        url: { type: 'string' },
        'token-env': { type: 'string' },
        profile: { type: 'string' },
        level: { type: 'string' },
        only: { type: 'string' },
        seed: { type: 'string' },
        report: { type: 'string' },
        list: { type: 'boolean' },
        json: { type: 'boolean' },
        quiet: { type: 'boolean', short: 'q' },
        'i-own-this-target': { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
        version: { type: 'boolean' },
      },
    }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

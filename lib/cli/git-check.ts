/** Whether git would take the ledger and leave runtime state alone. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Finding } from './finding.js';
import type { Environment } from './invocation.js';

const execute = promisify(execFile);
const TIMEOUT_MS = 5_000;
/** git answers 1 when no path is ignored, 128 where there is no repository. */
const NONE_IGNORED = 1;

const LEDGER = '.agents/daemon/ledger/000001-00000000.jsonl';
const RUNTIME = [
  '.agents/daemon/run/lock',
  '.agents/daemon/leases/job.json',
  '.agents/daemon/projections/daemon-status.json',
  '.agents/daemon/quarantine/piece',
  '.agents/daemon/activation.json',
  '.agents/inbox/new/job.json',
  '.agents/runs/job/attempt-1/output.log',
];

export async function checkGitIgnores(root: string, environment: Environment): Promise<Finding[]> {
  const ignored = await ignoredOf([LEDGER, '.agents/config.yaml', ...RUNTIME], root, environment);
  if (ignored === 'no git')
    return [
      {
        check: 'git',
        state: 'note',
        text: 'git is not in PATH: nothing keeps the history of the ledger',
        fix: 'install git',
      },
    ];
  if (ignored === 'no repository')
    return [{ check: 'git', state: 'note', text: `${root} is no git repository`, fix: 'git init' }];
  const findings: Finding[] = [];
  for (const path of [LEDGER, '.agents/config.yaml']) {
    if (ignored.has(path))
      findings.push({
        check: 'git',
        state: 'fail',
        text: `${path} is ignored: git would not keep it`,
        fix: `find the rule with: git check-ignore -v ${path}`,
      });
  }
  const taken = RUNTIME.filter((path) => !ignored.has(path));
  if (taken.length > 0) {
    const fix = 'move .agents/.gitignore away and run: agentopsd init';
    findings.push({ check: 'git', state: 'fail', text: `git add would take runtime state: ${taken.join(', ')}`, fix });
  }
  return findings.length > 0
    ? findings
    : [{ check: 'git', state: 'ok', text: 'takes the ledger and the configuration, leaves runtime state' }];
}

async function ignoredOf(
  paths: readonly string[],
  root: string,
  environment: Environment,
): Promise<ReadonlySet<string> | 'no git' | 'no repository'> {
  const safe = ['-c', 'core.fsmonitor=false', '-c', 'core.hooksPath=/dev/null', '-c', 'core.quotePath=false'];
  try {
    const { stdout } = await execute('git', [...safe, '-C', root, 'check-ignore', '--no-index', '--', ...paths], {
      timeout: TIMEOUT_MS,
      env: { ...environment, GIT_TERMINAL_PROMPT: '0', GIT_OPTIONAL_LOCKS: '0' } as NodeJS.ProcessEnv,
    });
    return new Set(stdout.split('\n').filter((line) => line !== ''));
  } catch (error) {
    const { code } = error as { code?: number | string };
    if (code === 'ENOENT') return 'no git';
    return code === NONE_IGNORED ? new Set() : 'no repository';
  }
}

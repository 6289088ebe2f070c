/** Running programs for the demo: each shown before it runs, as a person would type it. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import pc from 'picocolors';

const CLI = fileURLToPath(new URL('../../lib/cli/main.js', import.meta.url));

export interface Place {
  /** The temporary repository. */
  readonly root: string;
  /** Environment of every program: a state folder and a git identity of the demo's own. */
  readonly env: NodeJS.ProcessEnv;
}

export interface Ran {
  readonly status: number;
  readonly stdout: string;
}

export function heading(text: string): void {
  process.stdout.write(`\n${pc.bold(pc.cyan(`── ${text} `.padEnd(76, '─')))}\n`);
}

export function note(text: string): void {
  process.stdout.write(`${pc.dim(text)}\n`);
}

/** Fails the demo unless `holds`; says which promise it was either way. */
export function promise(holds: boolean, what: string): void {
  process.stdout.write(`${holds ? pc.green('✔ kept') : pc.red('✘ broken')}  ${what}\n`);
  if (!holds) throw new Error(`not as promised: ${what}`);
}

/** Runs a program to its end and shows what it printed. */
export function run(place: Place, program: string, args: readonly string[], shown = [program, ...args].join(' ')): Ran {
  process.stdout.write(`${pc.bold('$')} ${shown}\n`);
  const ran = spawnSync(program, args, {
    cwd: place.root,
    env: place.env,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  if (ran.error !== undefined) throw ran.error;
  process.stdout.write(indent(ran.stdout + ran.stderr));
  return { status: ran.status ?? 1, stdout: ran.stdout };
}

export function agentopsd(place: Place, ...args: string[]): Ran {
  return run(place, process.execPath, [CLI, ...args], `agentopsd ${args.join(' ')}`);
}

/** The arguments with which node starts the daemon. */
export const daemonArguments = [CLI, 'run', '--addr', '127.0.0.1:0'];

export function hasProgram(name: string): boolean {
  return spawnSync(name, ['--version'], { stdio: 'ignore' }).error === undefined;
}

function indent(text: string): string {
  const lines = text.trimEnd();
  return lines === '' ? '' : `${lines.replace(/^/gm, '  ')}\n`;
}

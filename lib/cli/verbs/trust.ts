/** Shows what `config.yaml` would run, and trusts it once a person agrees. */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { AgentopsdError } from '../../base/errors.js';
import {
  CONFIGURATION_FILE,
  type Declared,
  defaultConfiguration,
  parseConfiguration,
} from '../../model/configuration.js';
import { openHome } from '../../storage/home.js';
import { createNodeDisk } from '../../storage/node-disk.js';
import { createNodeRandom } from '../../storage/node-random.js';
import { type TrustStanding, trustConfiguration, trustStanding } from '../../storage/trust.js';
import type { Invocation } from '../invocation.js';
import { requireLaidDown } from '../place.js';
import type { Printer } from '../printer.js';

const NOT_TRUSTED = 1;

export async function perform({ flags, place, environment, printer }: Invocation): Promise<number> {
  requireLaidDown(place);
  const declared = await readDeclared(join(place.root, CONFIGURATION_FILE));
  const seams = { disk: createNodeDisk(), random: createNodeRandom() };
  const home = await openHome({ ...seams, root: place.root, env: environment });
  const standing = await trustStanding(seams.disk, home, declared);
  if (!printer.json) tell(standing, printer);
  const agreed = !standing.trusted && (flags.on('yes') || (await agrees(printer)));
  if (agreed) await trustConfiguration(seams, home, declared);
  const trusted = standing.trusted || agreed;
  printer.answer('trust', { trusted, changed: agreed, runs: standing.runs, changes: standing.changes }, () =>
    tellEnd(standing, trusted, printer),
  );
  return trusted ? 0 : NOT_TRUSTED;
}

async function readDeclared(path: string): Promise<Declared> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  const parsed =
    text === undefined ? { configuration: defaultConfiguration(), problems: [] } : parseConfiguration(text);
  if (parsed.configuration !== undefined) return parsed.configuration.declared;
  const [first] = parsed.problems;
  throw new AgentopsdError('configuration_invalid', `${CONFIGURATION_FILE}:${first?.line}: ${first?.message}`, {
    hint: 'correct it first: agentopsd doctor lists every mistake',
  });
}

function tell({ trusted, runs, changes }: TrustStanding, printer: Printer): void {
  const nothing = runs.length === 0;
  printer.line(
    nothing
      ? `${CONFIGURATION_FILE} names no program to run`
      : `${CONFIGURATION_FILE} would run, as you and without a container:`,
  );
  for (const run of runs) printer.line(`  ${run}`);
  if (trusted) return;
  printer.line('changed since it was last trusted:');
  for (const change of changes)
    printer.line(`  ${change.startsWith('-') ? printer.colours.red(change) : printer.colours.green(change)}`);
}

function tellEnd({ trusted: before }: TrustStanding, trusted: boolean, printer: Printer): void {
  if (!trusted)
    printer.line(`${printer.colours.red('✗ not trusted')}: it does not run; agree with agentopsd trust --yes`);
  else printer.line(printer.colours.green(before ? '✓ trusted already' : '✓ trusted'));
}

/** Only a person at a terminal can be asked; no answer is no. */
async function agrees(printer: Printer): Promise<boolean> {
  if (printer.json || process.stdin.isTTY !== true || !printer.errorTerminal) return false;
  const questions = createInterface({ input: process.stdin, output: process.stderr });
  const interrupted = once(questions, 'SIGINT').then(() => process.exit(130));
  const closed = once(questions, 'close').then(() => '');
  try {
    const answered = questions.question('trust it? [y/N] ').catch(() => '');
    const answer = await Promise.race([answered, closed, interrupted]);
    return /^(y|yes)$/i.test(answer.trim());
  } finally {
    questions.close();
  }
}

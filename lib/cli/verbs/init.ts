/** Lays down `.agents` and makes the token; overwrites nothing. */

import { safeLine } from '../../base/text.js';
import { type LaidFile, setUp } from '../../engine/setup.js';
import type { Invocation } from '../invocation.js';
import type { Printer } from '../printer.js';

const words: Readonly<Record<LaidFile['state'], string>> = {
  made: '✓ made',
  kept: '· kept',
  would_make: '○ would make',
};

export async function perform({ flags, place, environment, printer }: Invocation): Promise<number> {
  const dryRun = flags.on('dry-run');
  const setup = await setUp({ root: place.root, environment, dryRun });
  const { root, stateFolder: state_folder, files } = setup;
  printer.answer('init', { root, state_folder, dry_run: dryRun, files }, () => tellFiles(files, printer));
  if (!dryRun) printer.note(`next: agentopsd run   (in ${safeLine(root)})`);
  return 0;
}

function tellFiles(files: readonly LaidFile[], printer: Printer): void {
  for (const { path, state } of files) {
    const word = words[state].padEnd(12);
    printer.line(`${state === 'made' ? printer.colours.green(word) : printer.colours.dim(word)} ${safeLine(path)}`);
  }
}

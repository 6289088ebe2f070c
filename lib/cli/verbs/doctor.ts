/** Checks this machine and this folder, with a fix for each finding. */
import { safeLine } from '../../base/text.js';
import { checkUp } from '../check-up.js';
import type { Finding } from '../finding.js';
import type { Invocation } from '../invocation.js';
import { table } from '../job-words.js';
import type { Colours } from '../printer.js';

const SOMETHING_FAILED = 1;

export async function perform(invocation: Invocation): Promise<number> {
  const { printer } = invocation;
  const findings = await checkUp(invocation);
  printer.answer('check_up', { healthy: !findings.some(isFailure), findings }, () => {
    const shown = printer.quiet ? findings.filter(isFailure) : findings;
    for (const line of table(shown.map((finding) => row(finding, printer.colours)))) printer.line(line);
  });
  return findings.some(isFailure) ? SOMETHING_FAILED : 0;
}

function isFailure({ state }: Finding): boolean {
  return state === 'fail';
}

function row({ check, state, text, fix }: Finding, colours: Colours) {
  const shown = { ok: colours.green('✓ ok'), note: colours.yellow('! note'), fail: colours.red('✗ fail') }[state];
  const advice = fix === undefined || state === 'ok' ? '' : `   → ${safeLine(fix)}`;
  return [{ plain: `✓ ${state}`, shown }, check, `${safeLine(text)}${advice}`];
}

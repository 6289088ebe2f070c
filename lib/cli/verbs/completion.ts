import { AgentopsdError } from '../../base/errors.js';
import { safeLine } from '../../base/text.js';
import { completionScript, shells } from '../completion.js';
import type { Invocation } from '../invocation.js';

export async function perform({ operands, printer }: Invocation): Promise<number> {
  const shell = shells.find((known) => known === operands[0]);
  if (shell === undefined) {
    throw new AgentopsdError('usage', `there is no completion for ${safeLine(operands[0] ?? '')}`, {
      hint: `it is one of ${shells.join(', ')}`,
    });
  }
  const script = completionScript(shell);
  printer.answer('completion', { shell, script }, () => printer.line(script));
  return 0;
}

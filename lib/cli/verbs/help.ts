import { AgentopsdError } from '../../base/errors.js';
import { nearest } from '../../base/nearest.js';
import { safeLine } from '../../base/text.js';
import { tellHelp, tellOverview } from '../help.js';
import type { Invocation } from '../invocation.js';
import { verbNamed, verbs } from '../verbs.js';

export async function perform({ operands, printer }: Invocation): Promise<number> {
  const name = operands[0];
  if (name === undefined) {
    tellOverview(printer);
    return 0;
  }
  const verb = verbNamed(name);
  if (verb === undefined) {
    const guess = nearest(
      name,
      verbs.map((other) => other.name),
    );
    throw new AgentopsdError('usage', `there is no verb ${safeLine(name)}`, {
      hint: `see: agentopsd help ${guess ?? ''}`.trim(),
    });
  }
  tellHelp(printer, verb);
  return 0;
}

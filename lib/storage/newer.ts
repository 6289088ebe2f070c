/** The refusal of a ledger that a newer version wrote. */
import { AgentopsdError } from '../base/errors.js';

export function newerThanKnown(segment: string, version: number, line: number): AgentopsdError {
  return new AgentopsdError('ledger_newer', `${segment}:${line} has schema_version ${version}; this program knows 1`, {
    hint: 'Use the version of agentopsd that wrote it, or a newer one.',
    details: { segment, segment_line: line, schema_version: version },
  });
}

/** A report as people read it: indented, ended by a newline, and without what could steer a terminal. */
import { escapeTerminalControls } from '../../lib/base/canonical.js';

/** The order of members is that of the value. */
export function jsonText(value: unknown): string {
  return `${escapeTerminalControls(JSON.stringify(value, null, 2))}\n`;
}

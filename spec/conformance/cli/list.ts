/** The catalogue, printed. */
import type { CatalogueEntry } from '../catalogue.js';

export function listed(entries: readonly CatalogueEntry[], asJson: boolean): string {
  if (asJson) return `${JSON.stringify(entries, null, 2)}\n`;
  const width = Math.max(0, ...entries.map(({ id }) => id.length));
  const lines = entries.map(
    ({ id, severity, needs, expected }) =>
      `${id.padEnd(width)}  ${severity.padEnd(6)}  ${needs.padEnd(15)}  ${expected}`,
  );
  return `${lines.join('\n')}\n`;
}

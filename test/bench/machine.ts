/** Where and with what something was measured: it stands beside every figure. */
import { readFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';

export function machineFacts(): Record<string, string | number> {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  return {
    agentopsd: version,
    node: process.version,
    system: `${process.platform} ${release()} ${process.arch}`,
    processors: cpus().length,
    processor: cpus()[0]?.model ?? 'unknown',
    memoryGiB: Math.round(totalmem() / 1_073_741_824),
    // What else ran when it began: on a busy machine only the ratios mean something, and they too less.
    load: Math.round((loadavg()[0] ?? 0) * 10) / 10,
  };
}

export function machineLine(facts: Record<string, string | number>): string {
  return Object.entries(facts)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
}

/**
 * Runs one test file in this process and tells the runner, over the IPC channel, what came of it: the numbers never
 * pass through the output, where a test could print anything.
 *
 * uvu by itself exits 0 when `before` throws, a string is thrown, an `after.each` throws or `run()` is missing. So the
 * suites are queued (`UVU_DEFER`) and started from here, and only a report that was really sent counts.
 */
import { pathToFileURL } from 'node:url';

/** What one file reports when its suites have ended. */
export interface HostReport {
  readonly suites: number;
  readonly total: number;
  readonly passed: number;
  /** uvu's own skips: `.skip`, and what an `.only` left out. */
  readonly skipped: number;
}
/** Sent when the process is still alive some time after its report: what keeps it so. */
export interface HostLingering {
  readonly lingering: readonly string[];
}

/** Errors as text (or true when there are none), passed, skipped, total. */
type SuiteOutcome = [errors: string | true, passed: number, skipped: number, total: number];
type QueuedSuite = () => Promise<SuiteOutcome>;

const LINGER_MS = 1_000;

async function host(file: string): Promise<HostReport> {
  const queue: QueuedSuite[] = [];
  Object.assign(globalThis, { UVU_DEFER: true, UVU_INDEX: 0, UVU_QUEUE: [queue] });
  await import(pathToFileURL(file).href);
  const report = { suites: queue.length, total: 0, passed: 0, skipped: 0 };
  for (const run of queue) {
    const [errors, passed, skipped, total] = await run();
    report.total += total;
    report.passed += passed;
    report.skipped += skipped;
    if (typeof errors === 'string') process.stdout.write(`\n${errors}\n`);
  }
  return report;
}

async function main(): Promise<void> {
  const file = process.argv[2];
  if (file === undefined || process.send === undefined) throw new Error('started by the test runner alone');
  const report = await host(file);
  process.send(report satisfies HostReport);
  setTimeout(
    () => process.send?.({ lingering: process.getActiveResourcesInfo() } satisfies HostLingering),
    LINGER_MS,
  ).unref();
}

await main();

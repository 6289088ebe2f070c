/** Runs one check and tells how it ended; whatever it throws becomes a finding or an outcome. */
import { type Check, Ended, Late, NotApplicable, NotTested } from '../check.js';
import type { Context } from '../context.js';
import type { Findings } from '../findings.js';
import { NoAnswer } from '../target/exchange.js';
import { NoStart } from '../target/server-process.js';
import type { Outcome } from '../verdict.js';

/** Servers end within this. */
const CLOSE_WITHIN_MS = 60_000;

export async function runCheck(check: Check, context: Context, findings: Findings): Promise<Outcome> {
  const outcome = await outcomeOf(check, context, findings);
  try {
    await within(CLOSE_WITHIN_MS, context.close(), () => new Error('its servers did not end'));
    return outcome;
  } catch (error) {
    return outcome.kind === 'error' ? outcome : { kind: 'error', reason: told(error) };
  }
}

async function outcomeOf(check: Check, context: Context, findings: Findings): Promise<Outcome> {
  const late = (): Error => new NotTested(`it did not end within ${check.deadlineMs} ms`);
  try {
    await within(check.deadlineMs, check.run(context), late);
    return { kind: 'ran' };
  } catch (error) {
    if (error instanceof Ended) return { kind: 'ran' };
    if (error instanceof NotTested) return { kind: 'not-tested', reason: error.message };
    if (error instanceof NotApplicable) return { kind: 'n/a', reason: error.message };
    const observed = faultOf(error);
    if (observed === undefined) return { kind: 'error', reason: told(error) };
    findings.add(check.id, { severity: 'MUST', ...observed });
    return { kind: 'ran' };
  }
}

/** What the target did wrong that a check does not look for by itself. */
function faultOf(error: unknown): { expected: string; observed: string; request?: NoAnswer['ask'] } | undefined {
  if (error instanceof NoAnswer) {
    const { method, path } = error.ask;
    return { expected: `${method} ${path} is answered`, observed: error.message, request: error.ask };
  }
  if (error instanceof NoStart) return { expected: 'the server starts', observed: error.message };
  if (error instanceof Late) return { expected: error.message, observed: 'it did not come about' };
  return undefined;
}

function told(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

async function within<T>(ms: number, work: Promise<T>, late: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const end = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late()), ms);
  });
  try {
    return await Promise.race([work, end]);
  } finally {
    clearTimeout(timer);
  }
}

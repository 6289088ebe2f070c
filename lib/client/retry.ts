/**
 * Asking again. An answer that got lost says nothing about what the daemon did, so only what may be repeated goes
 * through here: submits that carry a key, cancels, reads.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { AgentopsdError, errorTable } from '../base/errors.js';

export interface RetryLimits {
  /** No new try begins later than this after the first one. */
  readonly retryForMs: number;
  readonly firstDelayMs: number;
  readonly longestDelayMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Runs `ask` until it answers, fails for good, or the time is up: then the last error is thrown. */
export async function withRetries<T>(limits: RetryLimits, ask: () => Promise<T>): Promise<T> {
  const startedMs = performance.now();
  for (let delayMs = limits.firstDelayMs; ; delayMs = Math.min(delayMs * 2, limits.longestDelayMs)) {
    try {
      return await ask();
    } catch (error) {
      const leftMs = startedMs + limits.retryForMs - performance.now();
      if (!mayRetry(error) || leftMs <= 0) throw error;
      await pause(Math.min(Math.max(spread(delayMs), askedMs(error)), leftMs), limits.signal);
    }
  }
}

/** Whether the same request may come through later. */
export function mayRetry(error: unknown): boolean {
  return error instanceof AgentopsdError && errorTable[error.code].retryable;
}

/** When the daemon itself says to come again, as a time from now. */
function askedMs(error: unknown): number {
  const seconds = error instanceof AgentopsdError ? error.details?.['retry_after_seconds'] : undefined;
  return typeof seconds === 'number' ? seconds * 1000 : 0;
}

/** Waits; a signal that aborts ends it with the signal's reason. */
export async function pause(durationMs: number, signal?: AbortSignal): Promise<void> {
  try {
    await delay(durationMs, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    throw signal?.aborted === true ? signal.reason : error;
  }
}

/** Between half and all of it, so that many callers don't come back at one moment. */
function spread(delayMs: number): number {
  return delayMs * (0.5 + Math.random() / 2);
}

/**
 * Searches with a stranger's regular expression, in bounded time: one that tries for ever is stopped. V8 looks for that
 * between two steps back of its search, so the time holds also inside of a single call.
 */
import { createContext, Script } from 'node:vm';

export type Found = { readonly found: boolean } | { readonly problem: string };

const search = new Script('new RegExp(pattern, "mu").test(text)');

/** @param pattern one that compiles with the flags m and u */
export function findPattern(pattern: string, text: string, timeoutMs: number): Found {
  try {
    return { found: search.runInContext(createContext({ pattern, text }), { timeout: timeoutMs }) === true };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return { problem: `the pattern was not done after ${timeoutMs} ms` };
    return { problem: `the pattern can't be used: ${String((error as Partial<Error>).message ?? error)}` };
  }
}

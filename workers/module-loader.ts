/**
 * Loads the module of a `module` executor. A thread keeps what it has loaded; the time of the file's last change stands
 * in the address, so that an edited module is loaded anew at the next job.
 */
import { stat } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import type { Handler } from './context.js';
import { failure, failureOf } from './failure.js';

/** @param path absolute */
export async function loadModule(path: string): Promise<Handler> {
  const address = pathToFileURL(path);
  let loaded: { default?: unknown };
  try {
    address.searchParams.set('changed', String((await stat(path)).mtimeMs));
    loaded = (await import(address.href)) as { default?: unknown };
  } catch (error) {
    throw failure('provider_unreachable', `module ${path} can't be loaded: ${failureOf(error).message}`);
  }
  if (typeof loaded.default !== 'function') {
    throw failure(
      'provider_unreachable',
      `module ${path} has no default export that is a function (job, context) => result`,
    );
  }
  return loaded.default as Handler;
}

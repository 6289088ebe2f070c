/** Loads the module of a `module` executor, in the process that it has for itself. */
import { pathToFileURL } from 'node:url';
import type { Handler } from '../context.js';
import { failure, failureOf } from '../failure.js';

/** @param path absolute */
export async function loadModule(path: string): Promise<Handler> {
  let loaded: { default?: unknown };
  try {
    loaded = (await import(pathToFileURL(path).href)) as { default?: unknown };
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

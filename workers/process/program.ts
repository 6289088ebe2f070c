/** Finds the program that a command names: an absolute path, so that what runs does not depend on where it runs. */
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { isAbsolute, join, resolve } from 'node:path';
import { failure } from '../failure.js';

/**
 * A name with a slash is a path from `folder`; another is looked for in `path`, whose relative and empty entries are
 * passed over: they would find whatever a repository delivers.
 * @param path value of PATH
 * @throws JobFailure `provider_unreachable`
 */
export async function resolveProgram(name: string, path: string, folder: string): Promise<string> {
  if (name === '') throw failure('provider_unreachable', "a command without a program can't be started");
  if (name.includes('/')) {
    const program = resolve(folder, name);
    const why = await whyNotProgram(program);
    if (why === undefined) return program;
    throw failure('provider_unreachable', `${name} can't be started: ${program} ${why}`);
  }
  for (const entry of path.split(':')) {
    const program = join(entry, name);
    if (isAbsolute(entry) && (await whyNotProgram(program)) === undefined) return program;
  }
  throw failure('provider_unreachable', `${name} can't be started: no such program on PATH (${path})`);
}

async function whyNotProgram(program: string): Promise<string | undefined> {
  try {
    if (!(await stat(program)).isFile()) return 'is no file';
  } catch {
    return 'is not there';
  }
  return access(program, constants.X_OK).then(
    () => undefined,
    () => 'may not be executed (chmod +x)',
  );
}

/** Where an agent works that has been given all that it needs to know: an empty folder has nothing to lead it elsewhere. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { BuiltinContext } from '../builtin-context.js';

/** @returns absolute */
export async function makeEmptyFolder({ runDir }: BuiltinContext): Promise<string> {
  const folder = join(runDir, 'agent');
  await mkdir(folder, { recursive: true });
  return folder;
}

/** Leaves the files of a job where its caller wants them: in a folder of the repository, or among its artifacts alone. */
import { join } from 'node:path';
import type { BuiltinContext } from '../builtin-context.js';
import { createFileWriter, type OutputFolder } from './atomic-write.js';
import { refuseForeignFile } from './own-files.js';

/**
 * @param files text by name; each becomes an artifact of that name
 * @param folder undefined for the artifacts alone
 * @throws a failure `request_rejected` when somebody else's file stands in the way, before anything is written
 */
export async function leaveFiles(
  files: ReadonlyMap<string, string>,
  folder: OutputFolder | undefined,
  context: BuiltinContext,
): Promise<void> {
  if (folder === undefined) {
    for (const [name, text] of files) await context.artifact(name, text);
    return;
  }
  await refuseForeignFiles([...files.keys()], folder, context);
  const writer = createFileWriter(context.root, context.runDir);
  for (const [name, text] of files) {
    context.signal.throwIfAborted();
    await writer.write(join(folder.absolute, name), text);
  }
  await writer.finish();
  for (const name of files.keys()) await context.recordArtifact(name, join(folder.absolute, name));
}

/** For a job that works long before it writes: what stands in the way is told first. */
export async function refuseForeignFiles(
  names: readonly string[],
  folder: OutputFolder,
  { root }: BuiltinContext,
): Promise<void> {
  for (const name of names)
    await refuseForeignFile(root, join(folder.absolute, name), 'built_by', 'payload.output_dir');
}

/** Loaded before a daemon: nothing makes certain any more that what was written is on the disk. */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const ANSWERS_NOTHING = async (): Promise<void> => {};
const handle = await fs.promises.open(new URL(import.meta.url).pathname);
Object.assign(Object.getPrototypeOf(handle), { sync: ANSWERS_NOTHING, datasync: ANSWERS_NOTHING });
await handle.close();
for (const name of ['fsync', 'fdatasync'] as const) {
  Object.assign(fs, { [name]: (_: number, done: (error: null) => void) => setImmediate(done, null) });
  Object.assign(fs, { [`${name}Sync`]: () => {} });
}
// Whoever imported them by name or as a namespace is given them too.
syncBuiltinESMExports();

/** Where the files of this program stand that are no code: in `spec/conformance`, beside the folder of the build. */
import { fileURLToPath } from 'node:url';

/** Compiled, this file is `<build>/spec/conformance/suite-files.js`. */
export const suiteFolder = fileURLToPath(new URL('../../../spec/conformance/', import.meta.url));

export function suiteFile(name: string): string {
  return suiteFolder + name;
}

/** The exit codes that errors lead to. */
import { errorTable } from '../../lib/base/errors.js';

export function exitCodesOfErrors(): number[] {
  return Object.values(errorTable).map(({ exit }) => exit);
}

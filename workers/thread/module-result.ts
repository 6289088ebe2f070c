/** What a module answers is kept as an artifact; what is no plain JSON data fails the job. */
import { whyNotCanonical } from '../../lib/base/canonical.js';
import { failure } from '../failure.js';
import type { ArtifactStore } from './artifacts.js';

const RESULT_ARTIFACT = 'result.json';
const DEPTH_AT_MOST = 64;

/** @throws JobFailure `request_rejected` */
export async function keepResult(value: unknown, artifacts: ArtifactStore): Promise<void> {
  if (value === undefined) return;
  const why = whyNotPlain(value) ?? whyNotCanonical(value, 'result');
  if (why !== undefined) {
    throw failure('request_rejected', `${why}; a handler answers plain JSON data or undefined`);
  }
  await artifacts.write(RESULT_ARTIFACT, `${JSON.stringify(value, null, 2)}\n`);
}

/** Objects of a class (Map, Date, Buffer) would lose what they are on their way through JSON. */
function whyNotPlain(value: unknown, path = 'result', depth = 0): string | undefined {
  if (typeof value !== 'object' || value === null || depth > DEPTH_AT_MOST) return undefined;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (!Array.isArray(value) && prototype !== Object.prototype && prototype !== null)
    return `${path} is no plain object`;
  for (const [name, member] of Object.entries(value)) {
    const why = whyNotPlain(member, `${path}.${name}`, depth + 1);
    if (why !== undefined) return why;
  }
  return undefined;
}

/**
 * What a handler prints with `console` or to the standard streams goes to the output of its job, not to the daemon's.
 * The streams are turned aside once a thread, and go where the running job says.
 */
import type { OutputLog } from '../process/output-log.js';

type Taker = Pick<OutputLog, 'write'>;
type Write = typeof process.stdout.write;

let taker: Taker | undefined;
let turnedAside = false;

/** @returns undoes it */
export function redirectPrinting(output: Taker): () => void {
  if (!turnedAside) for (const stream of [process.stdout, process.stderr]) turnAside(stream);
  turnedAside = true;
  taker = output;
  return restore;
}

function restore(): void {
  taker = undefined;
}

function turnAside(stream: NodeJS.WriteStream): void {
  const original = stream.write.bind(stream) as (...given: unknown[]) => boolean;
  stream.write = ((chunk: string | Uint8Array, encoding?: unknown, done?: unknown) => {
    if (taker === undefined) return original(chunk, encoding, done);
    taker.write(chunk);
    const callback = typeof encoding === 'function' ? encoding : done;
    if (typeof callback === 'function') queueMicrotask(() => callback());
    return true;
  }) as Write;
}

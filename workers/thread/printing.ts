/** What a handler prints with `console` or to the standard streams goes to the output of its job, not to the daemon's. */
import type { OutputLog } from '../process/output-log.js';

type Write = typeof process.stdout.write;

/** @returns undoes it */
export function redirectPrinting(output: Pick<OutputLog, 'write'>): () => void {
  const restores = [process.stdout, process.stderr].map((stream) => {
    const original = stream.write;
    stream.write = ((chunk: string | Uint8Array, encoding?: unknown, done?: unknown) => {
      output.write(chunk);
      const callback = typeof encoding === 'function' ? encoding : done;
      if (typeof callback === 'function') queueMicrotask(() => callback());
      return true;
    }) as Write;
    return () => {
      stream.write = original;
    };
  });
  return () => {
    for (const restore of restores) restore();
  };
}

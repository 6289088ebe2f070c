/** The disk alone: a file to which 512 bytes are appended and made durable, again and again, in the room's folder. */
import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { percentile } from './statistics.js';

const APPENDED_BYTES = 512;

/** @returns milliseconds, the median over `seconds` */
export function syncP50Ms(folder: string, seconds: number): number {
  const file = openSync(join(folder, 'disk-baseline'), 'a');
  const bytes = Buffer.alloc(APPENDED_BYTES, 'x');
  const taken: number[] = [];
  const endsAt = performance.now() + seconds * 1000;
  while (performance.now() < endsAt) {
    const begun = performance.now();
    writeSync(file, bytes);
    fdatasyncSync(file);
    taken.push(performance.now() - begun);
  }
  closeSync(file);
  return percentile(taken, 0.5);
}

/**
 * The history of the small server: in memory, or in a file of lines that is read at the start. A line that is no record
 * stays where it is, and is told.
 */
import { fsyncSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';

/** Only in memory; in the file, but only after a while; in the file before `append` comes back. */
export const keeps = ['memory', 'late', 'file'] as const;
export type Keep = (typeof keeps)[number];

export interface SmallEvent {
  readonly schema_version: 1;
  readonly event_id: string;
  readonly request_id: string;
  readonly job_id: string;
  readonly event_type: string;
  readonly occurred_at: string;
  readonly actor: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

export interface Corrupt {
  readonly line_number: number;
  readonly error: string;
}

const LATE_MS = 400;
const NEWLINE = '\n';

export class Ledger {
  readonly events: SmallEvent[] = [];
  readonly corrupt: Corrupt[] = [];
  readonly #keep: Keep;
  #file: number | undefined;
  #bytes = 0;
  /** Something stands behind the last newline. */
  #isTorn = false;

  constructor(keep: Keep, path: string) {
    this.#keep = keep;
    if (keep !== 'memory') this.#open(path);
  }

  /** @throws where it can't be written: then nothing of it is there */
  append(event: SmallEvent): void {
    if (this.#keep === 'file') this.#write(event);
    if (this.#keep === 'late') setTimeout(() => this.#write(event), LATE_MS);
    this.events.push(event);
  }

  #open(path: string): void {
    this.#file = openSync(path, 'a+');
    const bytes = readFileSync(path);
    this.#bytes = bytes.length;
    const lines = bytes.toString('utf8').split(NEWLINE);
    this.#isTorn = lines.at(-1) !== '';
    for (const [index, line] of lines.entries()) {
      if (line !== '') this.#read(line, index + 1);
    }
  }

  #read(line: string, line_number: number): void {
    try {
      this.events.push(JSON.parse(line) as SmallEvent);
    } catch (error) {
      this.corrupt.push({ line_number, error: (error as Error).message });
    }
  }

  #write(event: SmallEvent): void {
    const file = this.#file as number;
    const line = Buffer.from(`${this.#isTorn ? NEWLINE : ''}${JSON.stringify(event)}${NEWLINE}`);
    try {
      for (let written = 0; written < line.length; ) written += writeSync(file, line, written);
      fsyncSync(file);
    } catch (error) {
      ftruncateSync(file, this.#bytes);
      throw error;
    }
    this.#bytes += line.length;
    this.#isTorn = false;
  }
}

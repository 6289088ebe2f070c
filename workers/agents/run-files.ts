/**
 * What a run leaves: `prompt.md`, `transcript.jsonl`, `stderr.log` and `result.json`. They are named as artifacts before
 * the CLI starts, and `result.json` is written again while the run lasts: a run that is killed, or whose daemon is,
 * leaves what it had spent until then. All writing is synchronous, so that it can be done in the moment of a stop.
 */
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonObject } from '../../lib/base/json.js';
import { createOutputLog, type OutputLog } from '../process/output-log.js';
import { agentLimits } from './agent-limits.js';

export const runFileNames = ['prompt.md', 'transcript.jsonl', 'stderr.log', 'result.json'] as const;

export interface RunFileSettings {
  /** Absolute; made when it is not there. */
  readonly folder: string;
  /** Of the transcript and of the standard error, each: head and tail are kept, the gap is told. */
  readonly maxBytes: number;
  readonly prompt: string;
  /** What `result.json` is to say now. */
  readonly result: () => JsonObject;
}

export class RunFiles {
  readonly transcript: OutputLog;
  readonly errors: OutputLog;
  readonly #settings: RunFileSettings;
  #timer: NodeJS.Timeout | undefined;
  #settling: NodeJS.Timeout | undefined;
  #lastMs = Number.NEGATIVE_INFINITY;
  #last = '';

  /** @throws the system's error when one of them can't be made */
  constructor(settings: RunFileSettings) {
    const { folder, maxBytes, prompt } = settings;
    this.#settings = settings;
    mkdirSync(folder, { recursive: true });
    writeWhole(join(folder, 'prompt.md'), prompt);
    this.transcript = createOutputLog(join(folder, 'transcript.jsonl'), maxBytes);
    this.errors = createOutputLog(join(folder, 'stderr.log'), maxBytes);
  }

  /**
   * Something of the result changed: it is written, at once when the last time is long enough ago, and once more a little
   * later: what a CLI keeps elsewhere comes after what it says.
   */
  changed(): void {
    clearTimeout(this.#settling);
    this.#settling = setTimeout(() => this.write(), agentLimits.recordSettleMs);
    if (this.#timer !== undefined) return;
    const dueMs = this.#lastMs + agentLimits.recordIntervalMs - performance.now();
    if (dueMs <= 0) this.write();
    else this.#timer = setTimeout(() => this.write(), dueMs);
  }

  /** Never throws: on a full disk the run goes on, and what was written last stays. */
  write(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#lastMs = performance.now();
    const text = `${JSON.stringify(this.#settings.result(), null, 2)}\n`;
    if (text === this.#last) return;
    try {
      writeWhole(join(this.#settings.folder, 'result.json'), text);
      this.#last = text;
    } catch {
      // It is tried again with the next change, and at the end.
    }
  }

  /** Idempotent. */
  close(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#settling);
    this.transcript.close();
    this.errors.close();
  }
}

function writeWhole(path: string, text: string): void {
  const beside = `${path}.${process.hrtime.bigint().toString(36)}.tmp`;
  writeFileSync(beside, text, { flag: 'wx', mode: 0o600 });
  renameSync(beside, path);
}

/**
 * What a thread of Codex has used so far, from the file that Codex itself keeps of it: the transcript tells it only when
 * a turn is over, so that nothing would be known of one that was cut short, nor of what a resumed thread had used before.
 *
 * `$CODEX_HOME/sessions/<year>/<month>/<day>/rollout-<time>-<thread>.jsonl` has a line of type `event_msg` with a payload
 * of type `token_count` after each answer of the model. The form is Codex's own and may change: whatever can't be read
 * is not known, and nothing else depends on it.
 */
import { closeSync, constants, fstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { isJsonObject, type JsonObject } from '../../lib/base/json.js';
import { objectIn, textIn } from './members.js';

/** Of a file that grew, only so much of its end is read. */
const READ_BYTES = 4_194_304;
/** Days that are looked through for the thread's file, the newest first. */
const DAYS_AT_MOST = 400;

export interface TokenCount {
  /** Milliseconds since 1970. */
  readonly atMs: number;
  /** Of the whole thread, as Codex writes it. */
  readonly total: JsonObject;
}

export class Rollout {
  readonly #sessions: string;
  readonly #thread: string;
  #path: string | undefined;
  #readBytes = 0;
  #begun = '';

  /** @param codexHome absolute */
  constructor(codexHome: string, thread: string) {
    this.#sessions = join(codexHome, 'sessions');
    this.#thread = thread;
  }

  /** Those that were added since the last call, oldest first. Never throws. */
  news(): TokenCount[] {
    try {
      this.#path ??= this.#find();
      return this.#path === undefined ? [] : this.#lines(this.#path).flatMap(tokenCountOf);
    } catch {
      return [];
    }
  }

  #find(): string | undefined {
    if (!/^[\w-]+$/u.test(this.#thread)) return undefined;
    let days = 0;
    for (const day of foldersDown(this.#sessions, 3)) {
      const name = readdirSync(day).find((one) => one.startsWith('rollout-') && one.endsWith(`-${this.#thread}.jsonl`));
      if (name !== undefined) return join(day, name);
      if (++days >= DAYS_AT_MOST) return undefined;
    }
    return undefined;
  }

  #lines(path: string): string[] {
    const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const facts = fstatSync(descriptor);
      if (!facts.isFile()) return [];
      const from = Math.max(this.#readBytes, facts.size - READ_BYTES);
      const bytes = Buffer.alloc(Math.max(0, facts.size - from));
      const got = readSync(descriptor, bytes, 0, bytes.length, from);
      if (from !== this.#readBytes) this.#begun = '';
      this.#readBytes = from + got;
      const lines = (this.#begun + bytes.subarray(0, got).toString('utf8')).split('\n');
      this.#begun = lines.pop() ?? '';
      return lines;
    } finally {
      closeSync(descriptor);
    }
  }
}

/** Folders so many levels below, the last by name first. */
function* foldersDown(folder: string, levels: number): Generator<string> {
  if (levels === 0) yield folder;
  else for (const name of readdirSync(folder).sort().reverse()) yield* foldersDown(join(folder, name), levels - 1);
}

function tokenCountOf(line: string): TokenCount[] {
  if (!line.includes('"token_count"')) return [];
  try {
    const value: unknown = JSON.parse(line);
    if (!isJsonObject(value)) return [];
    const payload = objectIn(value, 'payload') ?? {};
    const total = objectIn(objectIn(payload, 'info') ?? {}, 'total_token_usage');
    const atMs = Date.parse(textIn(value, 'timestamp') ?? '');
    return payload['type'] === 'token_count' && total !== undefined && !Number.isNaN(atMs) ? [{ atMs, total }] : [];
  } catch {
    return [];
  }
}

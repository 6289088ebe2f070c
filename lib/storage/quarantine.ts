/**
 * The quarantine, `.agents/daemon/quarantine/`: bytes that recovery set aside, as they were, each beside a note
 * `<name>.note.json` that says why. Nothing is ever removed from it here. A copy counts once its note is there: a crash
 * in between leaves a copy without a note, and the next start makes another one under the next free name.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { canonicalJson } from '../base/canonical.js';
import type { Clock } from '../base/clock.js';
import { timestamp } from '../base/clock.js';
import type { JsonObject } from '../base/json.js';
import { limits } from '../base/limits.js';
import type { FileSeams } from './atomic-file.js';
import { createFile, PRIVATE_FILE, SHARED_FOLDER, writeWhole } from './atomic-file.js';
import type { DiskFile } from './disk.js';
import { DiskError } from './disk.js';
import { makeFolderDurably } from './folder.js';
import type { Layout } from './layout.js';

export interface QuarantineOptions extends FileSeams {
  readonly clock: Clock;
  readonly layout: Layout;
}

export interface Span {
  readonly fromByte: number;
  readonly toByte: number;
}

/** Relative to the root, as `quarantine_path` has it. */
export const QUARANTINE_PATH = '.agents/daemon/quarantine';
const NOTE_SUFFIX = '.note.json';
const NAMES_TRIED = 10_000;

/**
 * Copies a span of a file, durably.
 * @param name what the copy is called, unless that is taken
 * @returns the copy's path relative to the root
 */
export async function keepCopy(
  options: QuarantineOptions,
  file: DiskFile,
  span: Span,
  name: string,
  why: string,
): Promise<string> {
  await makeQuarantine(options);
  const { copy, named } = await openFree(options, name);
  const hash = createHash('sha256');
  let at = span.fromByte;
  try {
    while (at < span.toByte) {
      const block = await file.read(at, Math.min(limits.readBlockBytes, span.toByte - at));
      if (block.length === 0) break;
      hash.update(block);
      writeWhole(copy, block, at - span.fromByte);
      at += block.length;
    }
    await copy.datasync();
  } finally {
    await copy.close();
  }
  await writeNote(options, named, {
    why,
    source: file.path.split('/').at(-1) ?? '',
    from_byte: span.fromByte,
    bytes: at - span.fromByte,
    sha256: hash.digest('hex'),
  });
  return `${QUARANTINE_PATH}/${named}`;
}

/** Moves a file of the ledger as it is. @returns its new path relative to the root, or undefined when it was gone */
export async function setAside(options: QuarantineOptions, name: string, why: string): Promise<string | undefined> {
  const { disk, layout } = options;
  await makeQuarantine(options);
  const named = freeName(options, name);
  await writeNote(options, named, { why, source: name });
  try {
    await disk.rename(join(layout.ledger, name), join(layout.quarantine, named));
  } catch (error) {
    await disk.remove(join(layout.quarantine, `${named}${NOTE_SUFFIX}`));
    if (error instanceof DiskError && error.errno === 'ENOENT') return undefined;
    throw error;
  }
  await disk.syncFolder(layout.quarantine);
  await disk.syncFolder(layout.ledger);
  return `${QUARANTINE_PATH}/${named}`;
}

/** The path of a finished copy of that name, relative to the root; undefined when there is none. */
export function finishedCopy(options: Pick<QuarantineOptions, 'disk' | 'layout'>, name: string): string | undefined {
  const note = options.disk.factsSync(join(options.layout.quarantine, `${name}${NOTE_SUFFIX}`));
  return note?.kind === 'file' ? `${QUARANTINE_PATH}/${name}` : undefined;
}

async function makeQuarantine({ disk, layout }: QuarantineOptions): Promise<void> {
  await makeFolderDurably(disk, { path: layout.quarantine, permissions: SHARED_FOLDER, durableFrom: layout.root });
}

async function openFree(options: QuarantineOptions, name: string): Promise<{ copy: DiskFile; named: string }> {
  const named = freeName(options, name);
  return { copy: await options.disk.open(join(options.layout.quarantine, named), 'create', PRIVATE_FILE), named };
}

/** One daemon alone writes here, so a name that was free stays free. */
function freeName({ disk, layout }: QuarantineOptions, name: string): string {
  for (let count = 1; count < NAMES_TRIED; count++) {
    const named = count === 1 ? name : `${name}.${count}`;
    const taken = [named, `${named}${NOTE_SUFFIX}`].some(
      (path) => disk.factsSync(join(layout.quarantine, path)) !== undefined,
    );
    if (!taken) return named;
  }
  throw new DiskError('EEXIST', `find a free name for ${name} in`, layout.quarantine);
}

async function writeNote(options: QuarantineOptions, named: string, note: JsonObject): Promise<void> {
  const text = `${canonicalJson({ ...note, kept_at: timestamp(options.clock.wallMs()) })}\n`;
  await createFile(options, join(options.layout.quarantine, `${named}${NOTE_SUFFIX}`), text);
}

/**
 * Small files that are there whole or not at all: written under a temporary name in the same folder, then renamed, or
 * linked where whoever comes first must win. Temporary names begin with a dot and end in `.tmp`: whoever lists a
 * folder passes them by; a crash may leave one behind, which harms nobody.
 */
import { basename, dirname, join } from 'node:path';
import { AgentopsdError } from '../base/errors.js';
import type { Random } from '../base/random.js';
import { randomHex } from '../base/random.js';
import type { Disk, DiskFile } from './disk.js';
import { DiskError } from './disk.js';

const TEMPORARY_NAME_BYTES = 8;
/** Owner alone. */
export const PRIVATE_FILE = 0o600;
export const PRIVATE_FOLDER = 0o700;
export const SHARED_FOLDER = 0o755;
const GROUP_AND_OTHER = 0o077;

export interface FileSeams {
  readonly disk: Disk;
  readonly random: Random;
}

export interface AtomicWrite {
  /** Permission bits of the new file; default 0600. */
  readonly permissions?: number;
  /** Whether content and name are synced before the answer; default true. Without it a loss of power may undo it. */
  readonly durable?: boolean;
}

/** Puts `content` in the place of whatever file `path` names. @throws DiskError; nothing is changed then */
export async function replaceFile(
  seams: FileSeams,
  path: string,
  content: string | Uint8Array,
  write: AtomicWrite = {},
): Promise<void> {
  const { disk } = seams;
  const temporary = await writeTemporary(seams, path, content, write);
  try {
    await disk.rename(temporary, path);
  } catch (error) {
    await disk.remove(temporary);
    throw error;
  }
  if (write.durable ?? true) await disk.syncFolder(dirname(path));
}

/** The same, but answers false and changes nothing when `path` is there already; atomic among any number of callers. */
export async function createFile(
  seams: FileSeams,
  path: string,
  content: string | Uint8Array,
  write: AtomicWrite = {},
): Promise<boolean> {
  const { disk } = seams;
  const temporary = await writeTemporary(seams, path, content, write);
  const created = await disk.link(temporary, path);
  await disk.remove(temporary);
  if (write.durable ?? true) await disk.syncFolder(dirname(path));
  return created;
}

async function writeTemporary(
  seams: FileSeams,
  path: string,
  content: string | Uint8Array,
  write: AtomicWrite,
): Promise<string> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomHex(seams.random, TEMPORARY_NAME_BYTES)}.tmp`);
  const file = await seams.disk.open(temporary, 'create', write.permissions ?? PRIVATE_FILE);
  try {
    writeWhole(file, typeof content === 'string' ? Buffer.from(content, 'utf8') : content, 0);
    if (write.durable ?? true) await file.datasync();
  } catch (error) {
    await seams.disk.remove(temporary).catch(() => false);
    throw error;
  } finally {
    await file.close();
  }
  return temporary;
}

/** Writes all of `bytes` at `position`, looping on short writes. @throws DiskError */
export function writeWhole(
  file: { path: string; writeSync(bytes: Uint8Array, position: number): number },
  bytes: Uint8Array,
  position: number,
): void {
  for (let written = 0; written < bytes.length; ) {
    const taken = file.writeSync(written === 0 ? bytes : bytes.subarray(written), position + written);
    // A write that takes nothing and reports nothing would loop for ever.
    if (taken <= 0) throw new DiskError('EIO', 'write (nothing was taken)', file.path);
    written += taken;
  }
}

/**
 * The content of a small file, or undefined when it is not there.
 * @throws AgentopsdError `file_unsafe` when it is longer than `maxBytes` or no regular file of ours
 */
export async function readSmallFile(disk: Disk, path: string, maxBytes: number): Promise<Buffer | undefined> {
  return (await readFileAndMode(disk, path, maxBytes))?.content;
}

/**
 * The same for a file that holds a secret.
 * @throws AgentopsdError with `code` when group or others have any permission on it
 */
export async function readSecretFile(
  disk: Disk,
  path: string,
  maxBytes: number,
  code: 'token_file_unsafe' | 'file_unsafe',
): Promise<Buffer | undefined> {
  const found = await readFileAndMode(disk, path, maxBytes);
  if (found !== undefined && (found.mode & GROUP_AND_OTHER) !== 0) {
    throw new AgentopsdError(code, `${path} holds a secret and can be used by others (mode ${modeText(found.mode)})`, {
      hint: `chmod 600 ${path}`,
    });
  }
  return found?.content;
}

async function readFileAndMode(
  disk: Disk,
  path: string,
  maxBytes: number,
): Promise<{ content: Buffer; mode: number } | undefined> {
  let file: DiskFile;
  try {
    file = await disk.open(path, 'read');
  } catch (error) {
    if (error instanceof DiskError && (error.errno === 'ENOENT' || error.errno === 'ENOTDIR')) return undefined;
    throw error;
  }
  try {
    const content = await file.read(0, maxBytes + 1);
    if (content.length > maxBytes) {
      throw new AgentopsdError('file_unsafe', `${path} is longer than ${maxBytes} bytes`, {
        hint: 'move it away: it is no file of ours',
      });
    }
    return { content, mode: file.factsSync().mode };
  } finally {
    await file.close();
  }
}

/** Refuses a folder that group or others may use. @throws AgentopsdError `folder_unusable` */
export function refuseSharedFolder(disk: Disk, path: string): void {
  const facts = disk.factsSync(path);
  if (facts?.kind !== 'folder' || (facts.mode & GROUP_AND_OTHER) === 0) return;
  throw new AgentopsdError(
    'folder_unusable',
    `${path} holds secrets and can be used by others (mode ${modeText(facts.mode)})`,
    {
      hint: `chmod 700 ${path}`,
    },
  );
}

function modeText(mode: number): string {
  return (mode & 0o777).toString(8).padStart(3, '0');
}

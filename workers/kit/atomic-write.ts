/**
 * Writes files of a job into the repository: whole or not at all, never through a symbolic link, never over something
 * that is no regular file. A file is made in the job's own run folder, synced, and then renamed into its place, so that
 * a crash leaves nothing half written where others look.
 */
import { randomBytes } from 'node:crypto';
import { lstat, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { failure } from '../failure.js';
import { told } from './payload.js';
import { insideRoot, isClosed } from './sources.js';

/** A folder to write to: inside the root, reached without a symbolic link. It need not be there yet. */
export interface OutputFolder {
  /** Relative to the root, with `/`. */
  readonly path: string;
  readonly absolute: string;
}

/**
 * @param member names the folder in the failure, such as `payload.output_dir`
 * @throws a failure `request_rejected` when it is outside, behind a link, no folder, or the daemon's own
 */
export async function outputFolder(root: string, path: string, member: string): Promise<OutputFolder> {
  if (path.includes('\0')) throw failure('request_rejected', `${member}: a path can't hold a NUL`);
  const absolute = resolve(root, path);
  const inside = insideRoot(root, absolute);
  if (inside === undefined) throw failure('request_rejected', `${member}: ${told(path)} leads out of the repository`);
  if (isClosed(inside)) throw failure('request_rejected', `${member}: ${told(path)} is not open to jobs`);
  for (const folder of foldersOnTheWay(root, inside)) {
    const facts = await factsOf(folder);
    if (facts === undefined) break;
    if (facts.isSymbolicLink()) throw failure('request_rejected', `${member}: ${told(path)} passes a symbolic link`);
    if (!facts.isDirectory()) throw failure('request_rejected', `${member}: ${told(path)} is not a folder`);
  }
  return { path: inside, absolute };
}

export interface FileWriter {
  /**
   * Puts `text` at a path inside the root. What has the same bytes already is left as it is.
   * @returns whether something was written
   * @throws a failure `request_rejected` when a link or something that is no regular file stands in the way
   */
  write(absolute: string, text: string): Promise<boolean>;
  /** Makes the new names durable, and removes what was only needed on the way. */
  finish(): Promise<void>;
}

/**
 * @param runDir the folder of the attempt, on the same file system as the root where that is possible
 * @param openedFolder absolute; a folder that is closed to jobs, but not to this writer
 */
export function createFileWriter(root: string, runDir: string, openedFolder?: string): FileWriter {
  const scratch = join(runDir, 'writing');
  const folders = new Set<string>();
  return {
    async write(absolute, text) {
      const inside = insideRoot(root, absolute);
      const opened = openedFolder !== undefined && insideRoot(openedFolder, absolute) !== undefined;
      if (inside === undefined || (isClosed(inside) && !opened))
        throw new Error('invariant broken: a job writes only where it may');
      const bytes = Buffer.from(text, 'utf8');
      if (await holds(absolute, bytes, inside)) return false;
      const folder = dirname(absolute);
      if (!folders.has(folder)) for (const each of await makeFolders(root, folder)) folders.add(each);
      folders.add(folder);
      await mkdir(scratch, { recursive: true });
      await replace(scratch, absolute, bytes);
      return true;
    },
    async finish() {
      for (const folder of folders) await syncFolder(folder);
      await rm(scratch, { recursive: true, force: true });
    },
  };
}

async function holds(absolute: string, bytes: Buffer, inside: string): Promise<boolean> {
  const facts = await factsOf(absolute);
  if (facts === undefined) return false;
  if (!facts.isFile()) throw failure('request_rejected', `${told(inside)} is in the way: not a regular file`);
  return facts.size === bytes.length && bytes.equals(await readFile(absolute));
}

/** Each new folder on the way, and the parents that got a new name. */
async function makeFolders(root: string, folder: string): Promise<string[]> {
  const touched: string[] = [];
  for (const each of foldersOnTheWay(root, insideRoot(root, folder) ?? '.')) {
    const made = await mkdir(each).then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        if (error.code === 'EEXIST') return false;
        throw error;
      },
    );
    if (made) touched.push(dirname(each));
    const facts = await factsOf(each);
    if (facts?.isDirectory() !== true)
      throw failure('request_rejected', `${told(insideRoot(root, each) ?? each)} is in the way: not a folder`);
  }
  return touched;
}

async function replace(scratch: string, absolute: string, bytes: Buffer): Promise<void> {
  const name = `${randomBytes(8).toString('hex')}.tmp`;
  const made = await makeFile(join(scratch, name), bytes);
  try {
    await rename(made, absolute);
  } catch (error) {
    await rm(made, { force: true });
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error;
    // Another file system: the detour has to be beside the target.
    const beside = await makeFile(join(dirname(absolute), `.${basename(absolute).slice(0, 60)}.${name}`), bytes);
    await rename(beside, absolute);
  }
}

async function makeFile(path: string, bytes: Buffer): Promise<string> {
  const file = await open(path, 'wx', 0o644);
  try {
    await file.writeFile(bytes);
    await file.datasync();
  } finally {
    await file.close();
  }
  return path;
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** From the first below the root down to the last, absolute. */
function foldersOnTheWay(root: string, inside: string): string[] {
  if (inside === '.') return [];
  const parts = inside.split('/');
  return parts.map((_, at) => join(root, ...parts.slice(0, at + 1)));
}

async function factsOf(path: string): Promise<Awaited<ReturnType<typeof lstat>> | undefined> {
  return lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw error;
  });
}

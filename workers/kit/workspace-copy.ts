/**
 * Temporary copies of files of the repository, for work that must not touch the originals. A plan says what goes into a
 * copy, with every file's hash; making one holds what it reads against the plan.
 *
 * A copy holds regular files and folders alone: a symbolic link to a file inside the repository becomes that file's
 * content, every other link is refused, and so is what is neither file nor folder. It keeps honest programs apart; it is
 * no sandbox.
 */
import { createHash } from 'node:crypto';
import { chmod, lstat, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import { failure } from '../failure.js';
import { told } from './payload.js';
import { isClosed, readRegularFile, resolveInside, type SourcePath } from './sources.js';

/** What stands where in the copy. Later ones win. */
export interface CopyPart {
  /** A file or folder, relative to the root. */
  readonly source: string;
  /** Where it goes in the copy; `.` puts the content of a folder at its top. */
  readonly at: string;
  /** Names it in a failure. */
  readonly member: string;
  /** Says of a file whether it stays out: by its path in the copy and its path in the repository. */
  readonly leaveOut?: (inCopy: string, inRoot: string) => boolean;
}

export interface CopyLimits {
  /** Of all files together. */
  readonly bytes: number;
  readonly files: number;
  /** Folders in folders. */
  readonly depth: number;
}

interface PlannedFile {
  readonly source: SourcePath;
  readonly executable: boolean;
  readonly sha256: string;
}

export interface CopyPlan {
  /** By the path in the copy, sorted. */
  readonly files: ReadonlyMap<string, PlannedFile>;
  /** Of every path, mode and hash. */
  readonly sha256: string;
  readonly limits: CopyLimits;
}

/** @throws a failure `request_rejected` naming the part that is missing, leads out, is too large or is of no use */
export async function planCopy(
  root: string,
  parts: readonly CopyPart[],
  limits: CopyLimits,
  signal: AbortSignal,
): Promise<CopyPlan> {
  const walk = new Walk(root, limits, signal);
  for (const part of parts) await walk.take(part);
  return walk.plan();
}

class Walk {
  readonly #root: string;
  readonly #limits: CopyLimits;
  readonly #signal: AbortSignal;
  readonly #found = new Map<string, PlannedFile>();
  #bytes = 0;
  #entries = 0;

  constructor(root: string, limits: CopyLimits, signal: AbortSignal) {
    this.#root = root;
    this.#limits = limits;
    this.#signal = signal;
  }

  async take(part: CopyPart): Promise<void> {
    const source = await resolveInside(this.#root, part.source, part.member);
    const at = posix.normalize(part.at).replace(/\/$/, '');
    if (at.startsWith('..') || at.startsWith('/'))
      throw failure('request_rejected', `${part.member}: ${told(part.at)} leads out of the copy`);
    const facts = await lstat(source.absolute);
    if (facts.isDirectory()) return this.#folder(part, source, at, 1);
    if (at === '.') throw failure('request_rejected', `${part.member}: ${told(part.source)} is not a folder`);
    if (!facts.isFile()) throw failure('request_rejected', `${part.member}: ${told(source.path)} is no regular file`);
    await this.#file(part, source, at);
  }

  async #folder(part: CopyPart, folder: SourcePath, at: string, depth: number): Promise<void> {
    this.#signal.throwIfAborted();
    if (depth > this.#limits.depth)
      throw failure(
        'request_rejected',
        `${part.member}: ${told(folder.path)} is deeper than ${this.#limits.depth} folders`,
      );
    for (const entry of await readdir(folder.absolute, { withFileTypes: true })) {
      this.#entries += 1;
      if (this.#entries > this.#limits.files * 4) this.#refuseCount(part);
      const path = folder.path === '.' ? entry.name : `${folder.path}/${entry.name}`;
      const inside = { path, absolute: join(folder.absolute, entry.name) };
      const target = at === '.' ? entry.name : `${at}/${entry.name}`;
      if (entry.name === '.git' || isClosed(path)) continue;
      if (entry.isDirectory()) await this.#folder(part, inside, target, depth + 1);
      else if (entry.isFile()) await this.#file(part, inside, target);
      else if (entry.isSymbolicLink()) await this.#link(part, inside, target);
      else throw failure('request_rejected', `${part.member}: ${told(path)} is neither a file nor a folder`);
    }
  }

  async #link(part: CopyPart, link: SourcePath, at: string): Promise<void> {
    const member = `${part.member}: the link ${told(link.path)}`;
    const source = await resolveInside(this.#root, link.path, member);
    if (!(await lstat(source.absolute)).isFile())
      throw failure('request_rejected', `${member} leads to no file: links to folders are not copied`);
    await this.#file(part, source, at);
  }

  async #file(part: CopyPart, source: SourcePath, at: string): Promise<void> {
    if (part.leaveOut?.(at, source.path) === true) return;
    const { bytes: most, files } = this.#limits;
    const read = await readRegularFile(this.#root, source.absolute, most - this.#bytes);
    if ('reason' in read) {
      const why = read.reason.startsWith('larger')
        ? `makes the copy larger than ${most} bytes (copy_bytes)`
        : read.reason;
      throw failure('request_rejected', `${part.member}: ${told(source.path)} ${why}`);
    }
    this.#bytes += read.bytes.length;
    const executable = ((await lstat(source.absolute)).mode & 0o111) !== 0;
    this.#found.set(at, { source, executable, sha256: sha256Of(read.bytes) });
    if (this.#found.size > files) this.#refuseCount(part);
  }

  #refuseCount({ member, source }: CopyPart): never {
    throw failure(
      'request_rejected',
      `${member}: ${told(source)} makes the copy hold more than ${this.#limits.files} files`,
    );
  }

  plan(): CopyPlan {
    const files = new Map([...this.#found].sort(([one], [other]) => (one < other ? -1 : 1)));
    for (const path of files.keys())
      for (let above = posix.dirname(path); above !== '.'; above = posix.dirname(above))
        if (files.has(above))
          throw failure('request_rejected', `${told(above)} would be a file and a folder of the copy at the same time`);
    const lines = [...files].map(([path, { executable, sha256 }]) => `${path}\0${executable ? 'x' : '-'}\0${sha256}\n`);
    return { files, sha256: sha256Of(lines.join('')), limits: this.#limits };
  }
}

/**
 * @param target absolute; must not be there yet
 * @throws a failure `request_rejected` when a file is no longer what it was when the copy was planned
 */
export async function makeCopy(root: string, plan: CopyPlan, target: string, signal: AbortSignal): Promise<void> {
  await mkdir(target, { recursive: true });
  const folders = new Set([target]);
  for (const [path, { source, executable, sha256 }] of plan.files) {
    signal.throwIfAborted();
    const read = await readRegularFile(root, source.absolute, plan.limits.bytes);
    if ('reason' in read || sha256Of(read.bytes) !== sha256)
      throw failure('request_rejected', `${told(source.path)} was changed while the job ran`);
    const file = join(target, path);
    if (!folders.has(dirname(file))) await mkdir(dirname(file), { recursive: true });
    folders.add(dirname(file));
    await writeFile(file, read.bytes, { flag: 'wx', mode: executable ? 0o755 : 0o644 });
  }
}

/** Takes a copy away, whatever was done to it. Follows no link. */
export async function removeCopy(target: string): Promise<void> {
  const remove = () => rm(target, { recursive: true, force: true, maxRetries: 3 });
  await remove().catch(async () => {
    await openFolders(target);
    await remove();
  });
}

/** Folders that were closed against their owner are opened, so that they can be emptied. */
async function openFolders(folder: string): Promise<void> {
  const facts = await lstat(folder).catch(() => undefined);
  if (facts?.isDirectory() !== true) return;
  await chmod(folder, 0o700);
  for (const entry of await readdir(folder, { withFileTypes: true }))
    if (entry.isDirectory()) await openFolders(join(folder, entry.name));
}

function sha256Of(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

/**
 * The folders of the inbox, and which files in it are nobody's here.
 *
 *   .agents/inbox/new/<name>.json             a request, renamed into place
 *   .agents/inbox/done/<name>.accepted.json   its answer, or
 *   .agents/inbox/done/<name>.rejected.json
 *   <home>/inbox.json                         {schema_version: 1, passed_by: {"<name>.json": "<sha256>"}}
 *
 * A repository can deliver files in the inbox too. So what lies there when a home first sees it is written down in the
 * home, and never taken: neither now nor when the same bytes come back under the same name.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { canonicalJson } from '../base/canonical.js';
import { isJsonObject } from '../base/json.js';
import { limits } from '../base/limits.js';
import { type FileSeams, PRIVATE_FOLDER, readSmallFile, replaceFile } from '../storage/atomic-file.js';
import type { Disk } from '../storage/disk.js';
import { refuseLinksBelow } from '../storage/folder.js';
import type { Home } from '../storage/home.js';

type InboxHome = Pick<Home, 'folder' | 'root'>;

export interface InboxFolders {
  readonly new: string;
  readonly done: string;
}

/** Names of files that came with the repository, with the SHA-256 of their bytes; `unreadable` stands for whatever has the name. */
export type PassedBy = Readonly<Record<string, string>>;

const SIGHT_FILE = 'inbox.json';
const SIGHT_FILE_MAX_BYTES = 64 * 1024 * 1024;
const UNREADABLE = 'unreadable';

export function inboxFolders(root: string): InboxFolders {
  const inbox = join(root, '.agents', 'inbox');
  return { new: join(inbox, 'new'), done: join(inbox, 'done') };
}

/** Makes them; refuses links on the way. @throws AgentopsdError `folder_unusable`, DiskError */
export async function makeInboxFolders(disk: Disk, root: string): Promise<InboxFolders> {
  const folders = inboxFolders(root);
  for (const folder of [folders.new, folders.done]) {
    refuseLinksBelow(disk, root, folder);
    const parts = folder.slice(root.length + 1).split('/');
    for (const [at] of parts.entries()) {
      const part = join(root, ...parts.slice(0, at + 1));
      if (disk.factsSync(part) === undefined) await disk.makeFolder(part, PRIVATE_FOLDER);
    }
  }
  return folders;
}

/** Requests that stand in the folder, sorted; temporary names and others are no requests. */
export async function requestNames(disk: Disk, folder: string): Promise<string[]> {
  return ((await disk.list(folder)) ?? []).filter(isRequestName);
}

export function isRequestName(name: string): boolean {
  return name.endsWith('.json') && name.length > '.json'.length && !name.startsWith('.');
}

/**
 * Which files came with the repository. At the first call of a home everything that lies there, and that is written
 * down before the answer: so `init` calls it too, and what is dropped after that is taken.
 * @throws DiskError, AgentopsdError `folder_unusable`, `file_unsafe`
 */
export async function firstSight(seams: FileSeams, home: InboxHome): Promise<PassedBy> {
  const { disk } = seams;
  const path = join(home.folder, SIGHT_FILE);
  const bytes = await readSmallFile(disk, path, SIGHT_FILE_MAX_BYTES);
  const known = bytes === undefined ? undefined : parseSight(bytes);
  if (known !== undefined) return known;
  const folders = inboxFolders(home.root);
  refuseLinksBelow(disk, home.root, folders.new);
  const passedBy: Record<string, string> = {};
  for (const name of await requestNames(disk, folders.new))
    passedBy[name] = await hashOfFile(disk, join(folders.new, name));
  await replaceFile(seams, path, `${canonicalJson({ schema_version: 1, passed_by: passedBy })}\n`);
  return passedBy;
}

/** Whether the file is one of those, unchanged. */
export async function isPassedBy(disk: Disk, folder: string, name: string, passedBy: PassedBy): Promise<boolean> {
  if (!Object.hasOwn(passedBy, name)) return false;
  return passedBy[name] === UNREADABLE || passedBy[name] === (await hashOfFile(disk, join(folder, name)));
}

/** Of what a request can hold at most: a longer one is refused anyway. */
async function hashOfFile(disk: Disk, path: string): Promise<string> {
  try {
    const bytes = await readSmallFile(disk, path, limits.inboxFileBytes);
    return bytes === undefined ? UNREADABLE : createHash('sha256').update(bytes).digest('hex');
  } catch {
    return UNREADABLE;
  }
}

function parseSight(bytes: Buffer): PassedBy | undefined {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    const passedBy = isJsonObject(value) ? value['passed_by'] : undefined;
    if (isJsonObject(passedBy)) return passedBy as Record<string, string>;
  } catch {
    // Written right before a loss of power: it was no first sight then.
  }
  return undefined;
}

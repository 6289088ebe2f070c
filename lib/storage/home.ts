/**
 * The home: what one user keeps about one repository, outside of it, in the state folder.
 *
 *   <state>/<hash of the root's real path>/      mode 0700
 *     home.json        {id, key}: the public id that segment headers carry, and the secret key of every `mac`
 *     token            what the daemon's clients show (`token-file.ts`)
 *     trust.json       which executors may run
 *     anchor.json      the last acknowledged event (`anchor.ts`)
 *     checkpoints/     the folded state at some event, for a fast opening (`checkpoint.ts`)
 *     activation.json  where the daemon listens (`activation.ts`)
 *     children/        what to kill after a crash (`lease-file.ts`)
 *
 * A repository can deliver any file below its root, so nothing there proves that something is ours; this folder does.
 * `<state>` is `$AGENTOPSD_STATE_DIR`, else `$XDG_STATE_HOME/agentopsd`, else `$HOME/.local/state/agentopsd`.
 */
import { createHash } from 'node:crypto';
import { dirname, isAbsolute, join, normalize } from 'node:path';
import { AgentopsdError } from '../base/errors.js';
import { isJsonObject } from '../base/json.js';
import type { Random } from '../base/random.js';
import { randomHex } from '../base/random.js';
import { createFile, PRIVATE_FOLDER, readSecretFile, refuseSharedFolder } from './atomic-file.js';
import type { Disk } from './disk.js';
import { DiskError } from './disk.js';
import { makeFolderDurably, within } from './folder.js';

const HOME_ID_BYTES = 16;
const HOME_KEY_BYTES = 32;
const HOME_FILE_MAX_BYTES = 4096;
const ROOT_HASH_LETTERS = 32;

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Home {
  /** Absolute path of the folder of this root. */
  readonly folder: string;
  /** Real path of the repository. */
  readonly root: string;
  /** Public: it stands in every header that this home writes. Lower-case hex. */
  readonly id: string;
  /** Secret: 32 bytes. */
  readonly key: Uint8Array;
}

export interface HomeOptions {
  readonly disk: Disk;
  /** Absolute path of the repository; links are resolved here. */
  readonly root: string;
  readonly env: Environment;
}

/** Where the home of `root` (a real path) stands. @throws AgentopsdError `folder_unusable` */
export function stateFolderOf(root: string, env: Environment): string {
  return join(stateFolder(env), createHash('sha256').update(root, 'utf8').digest('hex').slice(0, ROOT_HASH_LETTERS));
}

/** The folder over all homes. @throws AgentopsdError `folder_unusable` when the environment names none */
export function stateFolder(env: Environment): string {
  const own = filled(env['AGENTOPSD_STATE_DIR']);
  if (own !== undefined) {
    if (!isAbsolute(own)) {
      throw new AgentopsdError('folder_unusable', `AGENTOPSD_STATE_DIR is not an absolute path: ${own}`, {
        hint: 'write it from / on',
      });
    }
    return withoutSlash(own);
  }
  // A relative XDG_STATE_HOME counts as not set, as its specification says.
  const xdg = filled(env['XDG_STATE_HOME']);
  if (xdg !== undefined && isAbsolute(xdg)) return join(withoutSlash(xdg), 'agentopsd');
  const user = filled(env['HOME']);
  if (user !== undefined && isAbsolute(user)) return join(withoutSlash(user), '.local', 'state', 'agentopsd');
  throw new AgentopsdError('folder_unusable', 'there is no place for the state folder: HOME is not set', {
    hint: 'set AGENTOPSD_STATE_DIR to a folder of your own outside the repository',
  });
}

/**
 * Makes what is missing, durably, and answers the home.
 * @throws AgentopsdError `folder_unusable` (inside the root, shared with others, can't be made) or `file_unsafe`
 */
export async function openHome(options: HomeOptions & { readonly random: Random }): Promise<Home> {
  const { disk, random } = options;
  const place = await placeOf(options);
  await makeFolderDurably(disk, {
    path: place.folder,
    permissions: PRIVATE_FOLDER,
    durableFrom: dirname(dirname(place.folder)),
  });
  refuseSharedFolder(disk, place.folder);
  const there = await readHome(disk, place);
  if (there !== undefined) {
    // Whoever made it may not have come to this: without the key all that is acknowledged would look like a stranger's.
    await disk.syncFolder(place.folder);
    return there;
  }
  const content = { id: randomHex(random, HOME_ID_BYTES), key: randomHex(random, HOME_KEY_BYTES) };
  await createFile({ disk, random }, homeFile(place.folder), `${JSON.stringify(content)}\n`);
  const made = await readHome(disk, place);
  if (made !== undefined) return made;
  throw new AgentopsdError('folder_unusable', `${homeFile(place.folder)} vanished right after it was made`, {
    hint: 'try again',
  });
}

/** The home if there is one; reads only. @throws like `openHome` */
export async function findHome(options: HomeOptions): Promise<Home | undefined> {
  const place = await placeOf(options);
  if (options.disk.factsSync(place.folder)?.kind !== 'folder') return undefined;
  refuseSharedFolder(options.disk, place.folder);
  return readHome(options.disk, place);
}

interface Place {
  readonly folder: string;
  readonly root: string;
}

async function placeOf(options: HomeOptions): Promise<Place> {
  const root = await realRoot(options);
  const named = stateFolderOf(root, options.env);
  const folder = await resolved(options.disk, named);
  if (within(folder, root) || within(named, root)) {
    throw new AgentopsdError('folder_unusable', `the state folder ${folder} lies inside the repository ${root}`, {
      hint: 'set AGENTOPSD_STATE_DIR to a folder outside: what lies inside could come with a clone',
    });
  }
  return { folder, root };
}

async function realRoot({ disk, root }: HomeOptions): Promise<string> {
  try {
    return await disk.realPath(root);
  } catch (error) {
    if (!(error instanceof DiskError)) throw error;
    throw new AgentopsdError('folder_unusable', `the repository ${root} can't be reached: ${error.errno}`, {
      hint: 'name a folder that exists',
      cause: error,
    });
  }
}

/** `path` with the links of its existing part resolved. */
async function resolved(disk: Disk, path: string): Promise<string> {
  let existing = path;
  while (disk.factsSync(existing) === undefined && existing !== dirname(existing)) existing = dirname(existing);
  return join(await disk.realPath(existing), path.slice(existing.length));
}

async function readHome(disk: Disk, place: Place): Promise<Home | undefined> {
  const path = homeFile(place.folder);
  const bytes = await readSecretFile(disk, path, HOME_FILE_MAX_BYTES, 'file_unsafe');
  if (bytes === undefined) return undefined;
  const { id, key } = parseHome(bytes, path);
  return { ...place, id, key };
}

function parseHome(bytes: Buffer, path: string): { id: string; key: Uint8Array } {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch {
    value = undefined;
  }
  const { id, key } = isJsonObject(value) ? value : {};
  if (
    typeof id === 'string' &&
    /^[0-9a-f]{8,64}$/.test(id) &&
    typeof key === 'string' &&
    key.length === 2 * HOME_KEY_BYTES &&
    /^[0-9a-f]+$/.test(key)
  ) {
    return { id, key: Uint8Array.from(Buffer.from(key, 'hex')) };
  }
  throw new AgentopsdError('file_unsafe', `${path} does not hold {"id", "key"} in hex`, {
    hint: 'restore it from a backup; without it the jobs of this ledger become foreign and have to be adopted',
  });
}

function homeFile(folder: string): string {
  return join(folder, 'home.json');
}

function filled(text: string | undefined): string | undefined {
  return text === undefined || text.trim() === '' ? undefined : text;
}

function withoutSlash(path: string): string {
  const normal = normalize(path);
  return normal.length > 1 && normal.endsWith('/') ? normal.slice(0, -1) : normal;
}

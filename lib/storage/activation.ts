/**
 * `activation.json`: where the running daemon is. It stands twice: in the home, which our own clients believe, and
 * below the root for people and other tools. It tells who listened last; whether that process still lives only a
 * request shows.
 */
import { join } from 'node:path';
import { canonicalJson } from '../base/canonical.js';
import { isJsonObject } from '../base/json.js';
import type { FileSeams } from './atomic-file.js';
import { readSmallFile, replaceFile, SHARED_FOLDER } from './atomic-file.js';
import type { Disk } from './disk.js';
import { makeFolderDurably } from './folder.js';
import type { Home } from './home.js';
import { layoutOf } from './layout.js';

export interface Activation {
  /** `http://127.0.0.1:8765` */
  readonly url: string;
  readonly pid: number;
  /** Id of the writer, as segment names carry it. */
  readonly writer: string;
  /** RFC 3339 in UTC. */
  readonly started_at: string;
}

const ACTIVATION_MAX_BYTES = 4096;
const PUBLIC_FILE = 0o644;

type Place = Pick<Home, 'folder' | 'root'>;

/** @throws DiskError, AgentopsdError `folder_unusable` */
export async function writeActivation(seams: FileSeams, home: Place, activation: Activation): Promise<void> {
  const layout = layoutOf(home.root);
  const { url, pid, writer, started_at } = activation;
  const text = `${canonicalJson({ url, pid, writer, started_at })}\n`;
  await replaceFile(seams, homePath(home), text);
  await makeFolderDurably(seams.disk, { path: layout.daemon, permissions: SHARED_FOLDER, durableFrom: layout.root });
  await replaceFile(seams, layout.activation, text, { permissions: PUBLIC_FILE });
}

/** What the home says; undefined when it says nothing. */
export async function readActivation(disk: Disk, home: Pick<Home, 'folder'>): Promise<Activation | undefined> {
  const bytes = await readSmallFile(disk, homePath(home), ACTIVATION_MAX_BYTES);
  return bytes === undefined ? undefined : parseActivation(bytes.toString('utf8'));
}

/** Takes both away unless another writer's stand there by now. */
export async function removeActivation(disk: Disk, home: Place, writer: string): Promise<void> {
  for (const path of [layoutOf(home.root).activation, homePath(home)]) {
    const bytes = await readSmallFile(disk, path, ACTIVATION_MAX_BYTES);
    if (bytes !== undefined && parseActivation(bytes.toString('utf8'))?.writer === writer) await disk.remove(path);
  }
}

function parseActivation(text: string): Activation | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isJsonObject(value)) return undefined;
  const { url, pid, writer, started_at } = value;
  if (
    typeof url !== 'string' ||
    typeof pid !== 'number' ||
    typeof writer !== 'string' ||
    typeof started_at !== 'string'
  )
    return undefined;
  return { url, pid, writer, started_at };
}

function homePath(home: Pick<Home, 'folder'>): string {
  return join(home.folder, 'activation.json');
}

/**
 * The artifacts of one attempt: files that the job leaves, by name, with path, size and SHA-256. Those that a handler
 * writes stand in `<runDir>/artifacts/`, whole or not at all; others (pages of a wiki) are recorded where they stand.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, sep } from 'node:path';
import type { ArtifactRefs, Artifacts } from '../../lib/model/event.js';
import { failure } from '../failure.js';
import type { RunFolder } from './run-folder.js';

const NAME_BYTES = 200;
/** More would make one event longer than it should be. */
const ARTIFACTS_AT_MOST = 1000;

export interface ArtifactStore {
  /** Writes `<runDir>/artifacts/<name>` and records it. Answers its path relative to the root. */
  write(name: string, data: string | Uint8Array): Promise<string>;
  /** Records a regular file below the root that is there already. Answers its path relative to the root. */
  record(name: string, path: string): Promise<string>;
  /** Names a file that is still being written: path alone, no hash. */
  name(name: string, path: string): void;
  readonly artifacts: Artifacts;
  readonly artifactRefs: ArtifactRefs;
}

export interface ArtifactStoreOptions {
  /** Real path of the repository. */
  readonly root: string;
  readonly folder: RunFolder;
  /** Path of the log, relative to the root, which every run has among its artifacts: the main thread knows of it without being told. */
  readonly output: string;
  /** Of all artifacts together. */
  readonly maxBytes: number;
  readonly onChange: (artifacts: Artifacts) => void;
}

export function createArtifactStore({ root, folder, output, maxBytes, onChange }: ArtifactStoreOptions): ArtifactStore {
  const artifacts: Artifacts = { output };
  const artifactRefs: ArtifactRefs = {};
  let takenBytes = 0;

  const take = (name: string, bytes: number) => {
    if (artifacts[name] === undefined && Object.keys(artifacts).length >= ARTIFACTS_AT_MOST) {
      throw failure('request_rejected', `more than ${ARTIFACTS_AT_MOST} artifacts`);
    }
    const before = artifactRefs[name]?.size ?? 0;
    if (takenBytes - before + bytes > maxBytes) {
      throw failure(
        'request_rejected',
        `artifact ${name}: all artifacts together pass limits.artifact_bytes, ${maxBytes} bytes`,
      );
    }
    takenBytes += bytes - before;
  };
  const keep = (name: string, path: string, sha256: string, size: number): string => {
    const inRoot = pathInRoot(root, path, name);
    artifacts[name] = inRoot;
    artifactRefs[name] = { path: inRoot, sha256, size, written_at: new Date().toISOString() };
    onChange({ ...artifacts });
    return inRoot;
  };

  return {
    artifacts,
    artifactRefs,
    async write(name, data) {
      refuseName(name);
      const bytes = typeof data === 'string' ? Buffer.from(data, 'utf8') : data;
      take(name, bytes.byteLength);
      const path = join(folder.ensure(), 'artifacts', ...name.split('/'));
      await writeAtomically(path, bytes);
      return keep(name, path, createHash('sha256').update(bytes).digest('hex'), bytes.byteLength);
    },
    async record(name, path) {
      refuseName(name);
      const facts = await stat(path);
      if (!facts.isFile()) throw failure('request_rejected', `artifact ${name}: ${path} is no regular file`);
      take(name, facts.size);
      return keep(name, path, await sha256OfFile(path), facts.size);
    },
    name(name, path) {
      artifacts[name] = pathInRoot(root, path, name);
      onChange({ ...artifacts });
    },
  };
}

/** @returns hex */
export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const block of createReadStream(path)) hash.update(block as Buffer);
  return hash.digest('hex');
}

async function writeAtomically(path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${process.hrtime.bigint().toString(36)}.tmp`;
  try {
    await writeFile(temporary, bytes, { flag: 'wx' });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

function refuseName(name: unknown): asserts name is string {
  const good =
    typeof name === 'string' &&
    name.isWellFormed() &&
    Buffer.byteLength(name) <= NAME_BYTES &&
    !/\p{Cc}|\\/u.test(name) &&
    name.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
  if (!good) {
    throw failure(
      'request_rejected',
      `artifact name ${JSON.stringify(name)?.slice(0, NAME_BYTES)}: a relative path of at most ${NAME_BYTES} bytes without . or .. is needed`,
    );
  }
}

function pathInRoot(root: string, path: string, name: string): string {
  // The usual path is below the root as it stands; whatever needs a second look gets it.
  if (path.startsWith(`${root}/`) && !/\/(\.{0,2})(\/|$)/u.test(path)) return path.slice(root.length + 1);
  const inRoot = relative(root, path);
  if (inRoot === '' || inRoot === '..' || inRoot.startsWith(`..${sep}`) || isAbsolute(inRoot)) {
    throw failure('request_rejected', `artifact ${name}: ${path} lies outside the repository`);
  }
  return inRoot.split(sep).join('/');
}

/**
 * Lease files: one a running job, for anyone to `cat` (`.agents/daemon/leases/<job>.json`), and its twin in the home
 * (`children/<job>.json`). What may be killed after a restart is read from the twin alone, because a repository can
 * deliver the other. The twin is written first: a process must never run under a lease that only the public file tells.
 *
 * Replaced by rename, without a sync: after a loss of power the processes are gone anyway. The twin carries the boot it
 * was written in, so that pids of an earlier boot are never taken for ours.
 */
import { join } from 'node:path';
import { canonicalJson } from '../base/canonical.js';
import { fileNameOf } from '../base/file-name.js';
import type { JsonObject } from '../base/json.js';
import { isJsonObject } from '../base/json.js';
import type { FileSeams } from './atomic-file.js';
import { PRIVATE_FOLDER, readSmallFile, replaceFile, SHARED_FOLDER } from './atomic-file.js';
import { refuseLinksBelow } from './folder.js';
import type { Home } from './home.js';
import { layoutOf } from './layout.js';

export interface LeaseChild {
  readonly pid: number;
  /** Start time as the system tells it (field 22 of `/proc/<pid>/stat`); undefined where it could not be read. */
  readonly started?: string | undefined;
}

export interface LeaseRecord {
  readonly job_id: string;
  readonly job_type: string;
  readonly attempt: number;
  readonly claim_token: string;
  readonly lease_epoch: number;
  /** RFC 3339 in UTC. */
  readonly lease_expires_at: string;
  /** Id of the writer that claimed. */
  readonly writer: string;
  /** Value of `AGENTOPS_LEASE_MARKER` in every process of this attempt. */
  readonly marker: string;
  readonly children: readonly LeaseChild[];
  /** The moment of the claim as the process table tells it: what began before is not the attempt's. */
  readonly started_after?: string | undefined;
  /** How far the work is, as its handler told it last. */
  readonly progress?: { readonly done: number; readonly total?: number; readonly text?: string } | undefined;
}

export interface LeaseFiles {
  /** @throws DiskError, AgentopsdError `folder_unusable` */
  write(record: LeaseRecord): Promise<void>;
  /** Idempotent. */
  remove(jobId: string): Promise<void>;
  /** What the home recorded and nobody removed; `children` is empty where the record is of another boot. */
  recorded(): Promise<LeaseRecord[]>;
}

export interface LeaseFilesOptions extends FileSeams {
  readonly home: Pick<Home, 'folder' | 'root'>;
  /** Names the running boot of the machine; undefined where the system has no name for it. */
  readonly bootId: string | undefined;
}

const LEASE_FILE_MAX_BYTES = 1_048_576;
const PUBLIC_FILE = 0o644;

export function createLeaseFiles(options: LeaseFilesOptions): LeaseFiles {
  const { disk, home } = options;
  const layout = layoutOf(home.root);
  const twins = join(home.folder, 'children');
  const nameOf = (jobId: string): string => `${fileNameOf(jobId)}.json`;

  return {
    async write(record) {
      const name = nameOf(record.job_id);
      const text = textOf(record);
      await makeFolder(options, twins, home.folder, PRIVATE_FOLDER);
      await replaceFile(options, join(twins, name), textOf(record, options.bootId), { durable: false });
      await makeFolder(options, layout.leases, layout.root, SHARED_FOLDER);
      await replaceFile(options, join(layout.leases, name), text, { durable: false, permissions: PUBLIC_FILE });
    },
    async remove(jobId) {
      const name = nameOf(jobId);
      refuseLinksBelow(disk, layout.root, layout.leases);
      await disk.remove(join(layout.leases, name));
      await disk.remove(join(twins, name));
    },
    async recorded() {
      const names = ((await disk.list(twins)) ?? []).filter((name) => name.endsWith('.json') && !name.startsWith('.'));
      const records = await Promise.all(
        names.map((name) => readSmallFile(disk, join(twins, name), LEASE_FILE_MAX_BYTES)),
      );
      return records.flatMap((bytes) => parseTwin(bytes, options.bootId) ?? []);
    },
  };
}

/** Made anew on each write, as a `git clean` may take it away at any time. */
async function makeFolder(seams: FileSeams, path: string, top: string, permissions: number): Promise<void> {
  refuseLinksBelow(seams.disk, top, path);
  if (seams.disk.factsSync(path) !== undefined) return;
  for (const part of foldersBetween(top, path)) await seams.disk.makeFolder(part, permissions);
}

function foldersBetween(top: string, path: string): string[] {
  const names = path.slice(top.length + 1).split('/');
  return names.map((_, at) => join(top, ...names.slice(0, at + 1)));
}

function textOf(record: LeaseRecord, bootId?: string): string {
  const { job_id, job_type, attempt, claim_token, lease_epoch, lease_expires_at, writer, marker } = record;
  const children = record.children.map(({ pid, started }) => (started === undefined ? { pid } : { pid, started }));
  const { started_after, progress } = record;
  const told = {
    ...(started_after === undefined ? {} : { started_after }),
    ...(progress === undefined ? {} : { progress }),
  };
  const lease = {
    job_id,
    job_type,
    attempt,
    claim_token,
    lease_epoch,
    lease_expires_at,
    writer,
    marker,
    children,
    ...told,
  };
  return `${canonicalJson(bootId === undefined ? lease : { ...lease, boot_id: bootId })}\n`;
}

/** Undefined for a file without its content: it was written right before a loss of power. */
function parseTwin(bytes: Buffer | undefined, bootId: string | undefined): LeaseRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse((bytes ?? Buffer.alloc(0)).toString('utf8'));
  } catch {
    return undefined;
  }
  if (!isJsonObject(value)) return undefined;
  const texts = ['job_id', 'job_type', 'claim_token', 'lease_expires_at', 'writer', 'marker'] as const;
  if (texts.some((name) => typeof value[name] !== 'string')) return undefined;
  if (typeof value['attempt'] !== 'number' || typeof value['lease_epoch'] !== 'number') return undefined;
  const { boot_id: writtenIn, children, ...lease } = value;
  const sameBoot = writtenIn === bootId;
  return {
    ...(lease as unknown as Omit<LeaseRecord, 'children'>),
    children: sameBoot && Array.isArray(children) ? children.flatMap(childOf) : [],
  };
}

function childOf(value: unknown): LeaseChild[] {
  if (!isJsonObject(value)) return [];
  const { pid, started } = value as JsonObject;
  if (typeof pid !== 'number' || !Number.isSafeInteger(pid) || pid < 2) return [];
  return [typeof started === 'string' ? { pid, started } : { pid }];
}

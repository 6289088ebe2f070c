/**
 * Which file system a path stands on, by the system's own table of mounts, and whether the ledger's promise can be kept
 * there. On a network file system another machine may write the same files, a lock or a second name may not be what it
 * says, and a sync may reach no further than the other machine's memory: it is used all the same, and told.
 *
 * Linux: `/proc/self/mountinfo` (proc(5)); each line is `id parent device root mountpoint options [fields] - type source
 * options`, white space and backslashes in it as `\ooo`. Elsewhere nothing is known, and nothing is told.
 * This file implements the seam, so it alone reads `/proc`.
 */
import { readFileSync } from 'node:fs';

/** @returns the text of the table of mounts; undefined where there is none */
export type MountTable = () => string | undefined;

const TABLE = '/proc/self/mountinfo';

export const readMountTable: MountTable = () => {
  try {
    return readFileSync(TABLE, 'utf8');
  } catch {
    return undefined;
  }
};

/** Whose files another machine may hold, by the name of the type; behind `fuse.` the name of the program. */
const NETWORK_TYPES = new Set(
  [
    ['nfs', 'nfs4', 'cifs', 'smb3', 'smbfs', 'afs', 'coda', 'ncpfs', '9p', 'virtiofs', 'vboxsf', 'prl_fs', 'vmhgfs'],
    ['ceph', 'glusterfs', 'lustre', 'gfs2', 'ocfs2', 'gpfs', 'beegfs', 'orangefs', 'pvfs2', 'davfs'],
    ['sshfs', 's3fs', 'rclone', 'gcsfuse', 'juicefs', 'seaweedfs', 'mfs', 'vmhgfs-fuse', 'osxfs', 'grpcfuse'],
  ].flat(),
);

/** @returns the type of the network file system that a path stands on; undefined for any other, and where nothing is known */
function networkFileSystem(path: string, table: MountTable): string | undefined {
  const type = fileSystemType(table() ?? '', path);
  return type !== undefined && NETWORK_TYPES.has(type.replace(/^fuse(?:blk)?\./, '')) ? type : undefined;
}

/** A line for each of the two places that hold what is ours, where it stands on a network file system. */
export function networkPlaces(
  places: { readonly repository: string; readonly 'state folder': string },
  table: MountTable = readMountTable,
): string[] {
  return Object.entries(places).flatMap(([name, path]) => {
    const type = networkFileSystem(path, table);
    return type === undefined
      ? []
      : `the ${name} stands on a network file system (${type}): syncs and locks are not to be relied on there; move it to a local disk`;
  });
}

/** The type of the mount that holds an absolute, real path: the longest mount point that leads to it, of two the later. */
export function fileSystemType(table: string, path: string): string | undefined {
  let found: { readonly point: string; readonly type: string } | undefined;
  for (const line of table.split('\n')) {
    const mount = parseMount(line);
    if (mount === undefined || !leadsTo(mount.point, path)) continue;
    if (found === undefined || mount.point.length >= found.point.length) found = mount;
  }
  return found?.type;
}

const POINT_FIELD = 4;

function parseMount(line: string): { point: string; type: string } | undefined {
  const [before, after] = line.split(' - ', 2);
  const point = before?.split(' ')[POINT_FIELD];
  const type = after?.split(' ')[0];
  if (point === undefined || type === undefined || type === '') return undefined;
  return { point: unescaped(point), type };
}

function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

function leadsTo(point: string, path: string): boolean {
  return point === '/' || path === point || path.startsWith(`${point}/`);
}

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fileSystemType, networkPlaces, readMountTable } from '../../lib/storage/mounts.js';

const mounts = suite('mounts');

const table = `22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
23 22 0:21 / /proc rw,nosuid - proc proc rw
30 22 0:40 / /home/me/work rw,relatime shared:5 master:2 - nfs4 server:/export rw,vers=4.2
31 30 8:2 / /home/me/work/local rw - xfs /dev/sdb rw
32 22 0:41 / /mnt/a\\040b\\134c rw - fuse.sshfs me@host: rw
33 22 0:42 / /mnt/over rw - cifs //host/share rw
34 22 0:43 / /mnt/over rw - tmpfs tmpfs rw
35 22 0:44 / /mnt/disk rw - fuseblk.ntfs /dev/sdc rw
a line that is none
36 22 0:45 / /mnt/cut rw
`;

mounts('the longest mount point that leads to a path decides, of two at one place the later', () => {
  assert.is(fileSystemType(table, '/var/lib'), 'ext4');
  assert.is(fileSystemType(table, '/home/me/work'), 'nfs4');
  assert.is(fileSystemType(table, '/home/me/work/repository'), 'nfs4');
  assert.is(fileSystemType(table, '/home/me/work/local/repository'), 'xfs');
  assert.is(fileSystemType(table, '/home/me/workshop'), 'ext4');
  assert.is(fileSystemType(table, '/mnt/over/x'), 'tmpfs');
  assert.is(fileSystemType(table, '/mnt/cut/x'), 'ext4');
  assert.is(fileSystemType('', '/x'), undefined);
});

mounts('network file systems are told by their type, FUSE by its program', () => {
  const told = (repository: string, state = '/var') =>
    networkPlaces({ repository, 'state folder': state }, () => table).map((text) => text.split(':')[0]);
  assert.equal(told('/home/me/work/repository'), ['the repository stands on a network file system (nfs4)']);
  assert.equal(told('/home/me/work/local', '/mnt/a b\\c/state'), [
    'the state folder stands on a network file system (fuse.sshfs)',
  ]);
  assert.equal(told('/mnt/over', '/mnt/disk'), []);
  const nothingKnown = networkPlaces({ repository: '/home/me/work', 'state folder': '/var' }, () => undefined);
  assert.equal(nothingKnown, []);
});

mounts('this machine has a table that says where we are, if it has one', () => {
  const here = readMountTable();
  if (here !== undefined) assert.type(fileSystemType(here, process.cwd()), 'string');
});

mounts.run();

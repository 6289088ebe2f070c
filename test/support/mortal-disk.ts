/** A process's own view of a disk, for one that dies: what a dead process still calls never answers. */
import type { Disk, DiskFile } from '../../lib/storage/disk.js';

const forEver = new Promise<never>(() => undefined);

/** The process ends before its `lives`-th call of the disk; `onDeath` is told once. */
export function mortal(disk: Disk, lives: number, onDeath: () => void): Disk {
  let calls = 0;
  const isDead = (): boolean => {
    if (calls === lives) onDeath();
    return calls++ >= lives;
  };
  const wrap = <Target extends object>(target: Target): Target =>
    new Proxy(target, {
      get(_, name) {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        return (...given: unknown[]): unknown => {
          if (isDead()) {
            if (String(name).endsWith('Sync')) throw new Error('died');
            return forEver;
          }
          const answer: unknown = value.apply(target, given);
          return name === 'open' ? (answer as Promise<DiskFile>).then(wrap) : answer;
        };
      },
    });
  return wrap(disk);
}

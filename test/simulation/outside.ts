/**
 * What happens to the files of a ledger from outside while daemons run: `git checkout`, `stash` and `clean`, an editor,
 * somebody who clears away `run/`. What is taken away is put back once no daemon is left, as `git stash pop` does:
 * then everything that was acknowledged has to be there.
 */
import { posix } from 'node:path';
import type { Happening } from './faults.js';
import { LEDGER, QUARANTINE, RUN, TERMS } from './places.js';
import type { World } from './world.js';

/** Where somebody else's name for a segment stands. */
const LINKED = '/repository/linked';

/** @returns what was done; undefined when there was nothing to be done */
export function tamper(world: World): Happening | undefined {
  const names = world.disk.namesIn(LEDGER).filter((name) => name.endsWith('.jsonl'));
  if (names.length === 0 || world.tampered !== undefined) return undefined;
  // Whoever opens a ledger that was cut from outside takes it for one that lost power: only the anchor could tell.
  if (world.living.some(({ phase }) => phase === 'opening')) return undefined;
  const { dice } = world;
  // The newest is the one that is written.
  const name = dice.maybe(0.7) ? (names.at(-1) ?? '') : dice.pick(names);
  const path = posix.join(LEDGER, name);
  const content = world.disk.contentOf(path);
  const file = world.disk.fileAt(path);
  if (content === undefined || file === undefined) return undefined;
  world.everTampered = true;
  world.note(`! somebody turns to ${name}`);
  switch (dice.pick([0, 0, 1, 1, 2, 2, 3, 4, 4, 5])) {
    case 0: {
      world.disk.unplant(path);
      world.tampered = { what: name, restore: () => world.disk.plant(path, content) };
      return 'segment removed';
    }
    case 1:
      world.disk.unplant(path);
      world.disk.plant(path, content);
      world.tampered = { what: name, restore: () => undefined };
      return 'segment replaced';
    case 2: {
      const sizeBytes = dice.int(content.length);
      file.tamper({ sizeBytes });
      const rest = content.subarray(sizeBytes);
      world.tampered = { what: name, restore: () => file.tamper({ bytes: rest, position: sizeBytes }) };
      return 'segment cut';
    }
    case 3: {
      file.tamper({ bytes: Buffer.from('<<<<<<< HEAD\n'), position: content.length });
      world.tampered = { what: name, restore: () => file.tamper({ sizeBytes: content.length }) };
      return 'segment grown';
    }
    case 5:
      void world.disk.link(path, LINKED);
      world.tampered = { what: name, restore: () => world.disk.unplant(LINKED) };
      return 'segment linked';
    default:
      // Nobody puts it back: whoever starts now begins to count anew.
      world.disk.unplantFolder(dice.maybe(0.7) ? RUN : TERMS);
      // While the one who lost it still writes: nothing of him is to be seen there any more.
      if (dice.maybe(0.6)) world.wanted ??= 'second writer';
      return 'run folder removed';
  }
}

/** What was done from outside is undone; then everything that was acknowledged is there. */
export function putRight(world: World): void {
  if (world.tampered === undefined) return;
  world.tampered.restore();
  world.tampered = undefined;
  world.judge(() => world.witness.audit(world.files(), 'everything was put back'));
}

/** Whether the quarantine holds what was acknowledged of a removed segment, once its daemon has noticed in peace. */
export function whyNotSaved(world: World, name: string): string | undefined {
  const copies = world.disk
    .namesIn(QUARANTINE)
    .filter((copy) => copy.startsWith(name) && !copy.endsWith('.note.json'))
    .flatMap((copy) => world.disk.contentOf(posix.join(QUARANTINE, copy)) ?? []);
  return copies.length > 0 ? undefined : `${name} was removed under a daemon, which saved nothing of it`;
}

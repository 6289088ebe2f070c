/** What the machine does to daemons without touching a file of theirs. */
import type { World } from './world.js';

export function strangeTime(world: World): void {
  const { time } = world;
  if (world.dice.maybe(0.5)) {
    world.happens('suspend');
    time.wallMs += world.dice.int(3_600_000);
  } else {
    world.happens('clock step');
    time.wallMs += world.dice.int(7_200_000) - 3_600_000;
  }
}

export function turnRoom(world: World): void {
  world.diskFull = !world.diskFull;
  if (world.diskFull) world.happens('disk full for a while');
}

export function stealLock(world: World): void {
  world.happens('lock stolen');
  world.lock.steal();
}

/** The end of a run. */
import type { Aftermath } from './aftermath.js';
import { judgeState } from './checker/judge-opened.js';
import { anchoredSeq } from './damage.js';
import { putRight } from './outside.js';
import type { Population } from './population.js';
import type { Turns } from './turns.js';
import type { Workload } from './workload.js';
import type { World } from './world.js';

export interface RunParts {
  readonly world: World;
  readonly turns: Turns;
  readonly population: Population;
  readonly aftermath: Aftermath;
  readonly workload: Workload;
}

/** No fault is left: a daemon has to open, every job to end, and all of it has to be there. */
export async function calmDown({ world, turns, population, aftermath, workload }: RunParts): Promise<void> {
  for (const process of world.living) world.end(process);
  world.armed = [];
  world.wanted = undefined;
  world.diskFull = false;
  putRight(world);
  population.start();
  const process = world.processes.at(-1);
  if (process === undefined || turns.isOver()) return;
  await turns.drain(() => process.phase === 'opening');
  if (world.violation !== undefined) return;
  if (process.phase !== 'serving') return world.violated('nothing failed any more, and no daemon came up');
  aftermath.recoveries++;
  await workload.finish(process, () => turns.drain(() => world.parked.length > 0));
  if (world.violation !== undefined) return;
  const audit = world.witness.audit(world.files(), 'at the end');
  if (process.kernel !== undefined) judgeState(process.kernel, audit, audit.ledger.events, 'at the end');
  process.close();
  await turns.drain(() => !process.isOver);
  const { length } = audit.ledger.events;
  const anchored = anchoredSeq(world.disk);
  if (anchored < length) world.violated(`a clean stop left the anchor at ${anchored} of ${length} events`);
  await aftermath.recover(world.disk, 'after a clean stop');
}

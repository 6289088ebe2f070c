/** Whether a job has left something running in its thread: only one at rest may take another job. */
import { setImmediate as nextTurn } from 'node:timers/promises';

/** What ends by itself in a moment, and the ports of the pool and of the thread. */
const PASSING = /Req|MessagePort|Immediate/u;
/** Handles that are being closed are gone after a turn or two of the event loop. */
const TURNS_TO_REST = 10;

/** Kinds of what keeps an event loop busy, one for each. */
export type ActiveResources = readonly string[];

export function activeResources(): ActiveResources {
  return process.getActiveResourcesInfo();
}

/** @param before what was active before the job */
export async function comesToRest(before: ActiveResources): Promise<boolean> {
  for (let turn = 0; turn < TURNS_TO_REST; turn++) {
    const after = activeResources();
    if (isSame(before, after) || addsNothing(before, after)) return true;
    await nextTurn();
  }
  return false;
}

/** The usual case. */
function isSame(before: ActiveResources, after: ActiveResources): boolean {
  if (before.length !== after.length) return false;
  for (let at = 0; at < after.length; at++) if (before[at] !== after[at]) return false;
  return true;
}

function addsNothing(before: ActiveResources, after: ActiveResources): boolean {
  const had = counted(before);
  for (const [kind, count] of counted(after)) if (count > (had.get(kind) ?? 0)) return false;
  return true;
}

function counted(resources: ActiveResources): Map<string, number> {
  const counts = new Map<string, number>();
  for (const kind of resources) if (!PASSING.test(kind)) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return counts;
}

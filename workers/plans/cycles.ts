/** Plans that wait for each other: the circles among their dependencies. Pure. */
import type { PlanEntry } from './entry.js';

/** @returns each group of plans of which everyone depends on everyone, sorted by id; a plan that depends on itself is one */
export function dependencyCycles(entries: readonly PlanEntry[]): PlanEntry[][] {
  const byId = new Map(entries.map((entry) => [entry.id, entry]));
  const search: Search = { byId, order: new Map(), low: new Map(), path: [], onPath: new Set(), groups: [] };
  for (const entry of entries) if (!search.order.has(entry.id)) visit(search, entry);
  const groups = search.groups.filter(([one, two]) => two !== undefined || one?.depends_on?.includes(one.id));
  return groups.map((group) => group.sort((a, b) => (a.id < b.id ? -1 : 1)));
}

interface Search {
  readonly byId: ReadonlyMap<string, PlanEntry>;
  readonly order: Map<string, number>;
  readonly low: Map<string, number>;
  readonly path: PlanEntry[];
  readonly onPath: Set<string>;
  readonly groups: PlanEntry[][];
}
interface Step {
  readonly entry: PlanEntry;
  next: number;
}

/** Tarjan's strongly connected components, with a stack of its own: a chain of plans may be as long as their number. */
function visit(search: Search, from: PlanEntry): void {
  const steps: Step[] = [enter(search, from)];
  for (let step = steps.at(-1); step !== undefined; step = steps.at(-1)) {
    const { id, depends_on = [] } = step.entry;
    const target = search.byId.get(depends_on[step.next] ?? '');
    step.next += 1;
    if (step.next > depends_on.length) {
      steps.pop();
      leave(search, step.entry);
      const above = steps.at(-1);
      if (above !== undefined) lower(search, above.entry.id, search.low.get(id));
    } else if (target !== undefined && !search.order.has(target.id)) steps.push(enter(search, target));
    else if (target !== undefined && search.onPath.has(target.id)) lower(search, id, search.order.get(target.id));
  }
}

function enter({ order, low, path, onPath }: Search, entry: PlanEntry): Step {
  low.set(entry.id, order.size);
  order.set(entry.id, order.size);
  path.push(entry);
  onPath.add(entry.id);
  return { entry, next: 0 };
}

function lower({ low }: Search, id: string, to = 0): void {
  low.set(id, Math.min(low.get(id) ?? 0, to));
}

/** The lowest of a group takes the whole group off the path. */
function leave({ order, low, path, onPath, groups }: Search, entry: PlanEntry): void {
  if (low.get(entry.id) !== order.get(entry.id)) return;
  const group = path.splice(path.lastIndexOf(entry));
  for (const { id } of group) onPath.delete(id);
  groups.push(group);
}

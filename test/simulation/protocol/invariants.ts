/**
 * What has to hold in every state, for whoever would open the ledger there and then: the replay is ok; whatever was
 * acknowledged or shown is in it; a key has one effect; a batch is there whole or not at all; no two acknowledged
 * events of a folder have one `seq`. Where several homes write, "two heads" is allowed, damage and silent loss are
 * not.
 */
import { filesIn } from './disk.js';
import { type Cells, eventOf, type LineNumber } from './line.js';
import { replay } from './replay.js';
import type { Scenario } from './scenario.js';
import type { SegmentFile } from './segment.js';
import type { Folder, State } from './state.js';

/** A home that has no segment anywhere. */
const strangerHome = 99;

/** What does not hold; an empty text when all does. */
export function findViolation(state: State, scenario: Scenario): string {
  if (state.violation) return state.violation;
  if (state.damaged) return '';
  const { A, B } = state.folders;
  if (!B) return judgeFolder(state, 'A', A, scenario);
  return judgeFolder(state, 'A', A, scenario) || judgeFolder(state, 'B', B, scenario) || judgeMerge(state, B, scenario);
}

function judgeFolder(state: State, name: 'A' | 'B', folder: Folder, scenario: Scenario): string {
  const acknowledged = state.acknowledged[name];
  const wanted = [...acknowledged, ...state.shown[name]];
  const problem = judgeView(filesIn(state, folder), folder.home, wanted, scenario);
  if (problem || scenario.twoHeadsAllowed) return problem;
  const seqs = new Set(acknowledged.map((line) => eventOf(line).seq));
  return seqs.size === acknowledged.length ? '' : 'two acknowledged events have one seq';
}

/** Both folders put together, opened by either home and by a stranger. */
function judgeMerge(state: State, B: Folder, scenario: Scenario): string {
  const files = mergeFiles(state, B);
  const wanted = [...state.shown.A, ...state.shown.B];
  const openers = [
    ['the original', state.folders.A.home],
    ['the clone', B.home],
    ['a stranger', strangerHome],
  ] as const;
  for (const [who, home] of openers) {
    const problem = judgeView(files, home, wanted, scenario);
    if (problem) return `both folders merged, opened by ${who}: ${problem}`;
  }
  return '';
}

/** Three ways: a side that changed a file wins, its removal too; where both did, the longer file. */
function mergeFiles(state: State, B: Folder): SegmentFile[] {
  const byName = (folder: Folder): Map<string, Cells> =>
    new Map(filesIn(state, folder).map(({ name, cells }) => [name, cells]));
  const [original, clone] = [byName(state.folders.A), byName(B)];
  const names = [...new Set([...original.keys(), ...clone.keys()])].sort();
  return names.flatMap((name) => {
    const cells = mergeFile(original.get(name), clone.get(name), B.base[name]);
    return cells ? [{ name, cells }] : [];
  });
}

function mergeFile(left: Cells | undefined, right: Cells | undefined, base: Cells | undefined): Cells | undefined {
  if (base && String(right) === String(base)) return left;
  if (base && String(left) === String(base)) return right;
  return (left?.length ?? 0) >= (right?.length ?? 0) ? left : right;
}

function judgeView(
  files: readonly SegmentFile[],
  home: number,
  wanted: readonly LineNumber[],
  { protocol, twoHeadsAllowed }: Scenario,
): string {
  const { status, why, events, heads } = replay(files, home, protocol);
  if (status === 'corrupt' || (status === 'two heads' && !twoHeadsAllowed))
    return `the replay reports ${status}: ${why}`;
  const visible = status === 'ok' ? events : heads.flat();
  const lost = wanted.find((line) => !visible.includes(line));
  if (lost !== undefined) {
    const { key, writer } = eventOf(lost);
    return `the event of key ${key} by W${writer} was acknowledged or shown and is not in the replay (${status})`;
  }
  return judgeEffects(events.map(eventOf));
}

function judgeEffects(events: readonly { key: number; part: number; parts: number }[]): string {
  const effects = new Set(events.map(({ key, part }) => `${key}/${part}`));
  if (effects.size !== events.length) return 'one key has two effects';
  const half = events.find(({ key, part, parts }) => parts > 1 && !effects.has(`${key}/${1 - part}`));
  return half ? `half of the batch of key ${half.key} is replayed` : '';
}

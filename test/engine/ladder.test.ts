import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { climb, type EndProcesses, type LadderSeams } from '../../lib/engine/ladder.js';
import type { ProcessFacts, ProcessTable } from '../../lib/engine/process-table.js';
import { parsePsLine, psLineHolds } from '../../lib/engine/process-table-ps.js';

interface Fake {
  pid: number;
  parent?: number;
  group?: number;
  session?: number;
  started?: string;
  state?: string;
  marked?: boolean;
  foreign?: boolean;
  /** Signals that end it; default all. */
  endsBy?: string[];
  /** How old it was when it was seen first; default: not known. */
  ageMs?: number;
  /** So many signals it never hears. */
  deafTo?: number;
}

function isDeaf(one: Fake): boolean {
  one.deafTo = (one.deafTo ?? 0) - 1;
  return one.deafTo >= 0;
}

const SELF = 100;
/** Our parent, ourselves, and what a test adds; signals are recorded and obeyed at once. */
function machine(fakes: Fake[]): { seams: LadderSeams; sent: string[]; alive: () => number[] } {
  const living = new Map<number, Fake>(
    [{ pid: 1 }, { pid: 50, parent: 1 }, { pid: SELF, parent: 50 }, ...fakes].map((one) => [one.pid, one]),
  );
  const sent: string[] = [];
  let nowMs = 0;
  const facts = (one: Fake): ProcessFacts => ({
    pid: one.pid,
    parent: one.parent ?? SELF,
    group: one.group ?? one.pid,
    session: one.session ?? one.group ?? one.pid,
    state: one.state ?? 'S',
    started: one.started ?? String(1000 + one.pid),
  });
  const table: ProcessTable = {
    list: async () => [...living.values()].map(facts),
    find: (pid) => (living.has(pid) ? facts(living.get(pid) as Fake) : undefined),
    isOwn: (pid) => living.get(pid)?.foreign !== true,
    withEntry: async (candidates, entry) =>
      candidates.filter((one) => living.get(one.pid)?.marked && entry === 'AGENTOPS_LEASE_MARKER=m1'),
    moment: () => '0',
    beganSince: (one, moment) => Number(one.started) >= Number(moment),
    ageMs: (one) => {
      const { ageMs } = living.get(one.pid) ?? {};
      return ageMs === undefined ? undefined : ageMs + nowMs;
    },
  };
  const send = (pid: number, signal: string): boolean => {
    sent.push(`${signal} ${pid}`);
    const targets = [...living.values()].filter((one) => (pid < 0 ? facts(one).group === -pid : one.pid === pid));
    for (const one of targets)
      if (signal !== 'SIGCONT' && (one.endsBy ?? [signal]).includes(signal) && !isDeaf(one)) living.delete(one.pid);
    return targets.length > 0;
  };
  const wait = async (delayMs: number): Promise<void> => {
    nowMs += delayMs;
  };
  const seams = { table, ownPid: SELF, send, wait, monotonicMs: () => nowMs };
  return { seams, sent, alive: () => [...living.keys()].filter((pid) => ![1, 50, SELF].includes(pid)) };
}
const order = (more: Partial<EndProcesses> = {}): EndProcesses => ({
  marker: 'm1',
  recorded: [],
  graceMs: 500,
  ...more,
});
const withoutContinue = (sent: string[]): string[] => sent.filter((line) => !line.startsWith('SIGCONT'));

const test = suite('ladder');

test('a polite child gets one SIGINT through its group, and nothing more', async () => {
  const { seams, sent, alive } = machine([{ pid: 200 }, { pid: 201, parent: 200, group: 200 }]);
  const result = await climb(seams, order({ recorded: [{ pid: 200, started: '1200' }] }));
  assert.equal(result, { ended: [200, 201], remaining: [] });
  assert.equal(withoutContinue(sent), ['SIGINT -200']);
  assert.equal(alive(), []);
});

test('who resists gets SIGTERM after the grace, then SIGKILL', async () => {
  const { seams, sent } = machine([{ pid: 200, endsBy: ['SIGKILL'] }]);
  await climb(seams, order({ recorded: [{ pid: 200, started: '1200' }] }));
  assert.equal(withoutContinue(sent), ['SIGINT -200', 'SIGTERM -200', 'SIGKILL -200']);
  assert.ok(seams.monotonicMs() >= 1000 && seams.monotonicMs() < 1500);
});

test('who was told in the moment in which it began, and may never have heard it, is told once more', async () => {
  // A shell that begins a program: it ends by the interrupt, the program that is just becoming itself loses it.
  const { seams, sent, alive } = machine([
    { pid: 200, ageMs: 20 },
    { pid: 201, parent: 200, group: 200, ageMs: 0, deafTo: 1 },
  ]);
  await climb(seams, order({ recorded: [{ pid: 200, started: '1200' }], graceMs: 10_000 }));
  assert.equal(withoutContinue(sent), ['SIGINT -200', 'SIGINT 201']);
  assert.equal(alive(), []);
  assert.ok(seams.monotonicMs() >= 500 && seams.monotonicMs() < 700, `${seams.monotonicMs()}`);
});

test('nobody is told a third time, and who was there for a while is told once', async () => {
  const order10s = order({ recorded: [{ pid: 200, started: '1200' }], graceMs: 10_000 });
  for (const [ageMs, interrupts] of [
    [0, 2],
    [100, 2],
    [101, 1],
    [undefined, 1],
  ] as const) {
    const { seams, sent } = machine([{ pid: 200, endsBy: ['SIGTERM'], ...(ageMs === undefined ? {} : { ageMs }) }]);
    await climb(seams, order10s);
    assert.is(sent.filter((line) => line.startsWith('SIGINT')).length, interrupts, `${ageMs}`);
    assert.is(withoutContinue(sent).at(-1), 'SIGTERM -200');
  }
});

test('descendants, groups, sessions and marked ones are all found', async () => {
  const { seams, alive } = machine([
    { pid: 200 },
    { pid: 201, parent: 200, group: 201 },
    { pid: 202, parent: 201, group: 202, endsBy: ['SIGKILL'] },
    { pid: 203, parent: 1, group: 203, marked: true },
    { pid: 204, parent: 1, group: 200 },
    { pid: 205, parent: 1, group: 205, session: 200 },
    { pid: 206, parent: 203, group: 206 },
    { pid: 300, parent: 1 },
  ]);
  await climb(seams, order({ recorded: [{ pid: 200, started: '1200' }], startedAfter: '0' }));
  assert.equal(alive(), [300]);
});

test('one orphaned between two looks stays on the list', async () => {
  const fakes: Fake[] = [
    { pid: 200, endsBy: ['SIGINT'] },
    { pid: 201, parent: 200, group: 201, session: 201, endsBy: ['SIGTERM'] },
  ];
  const { seams, alive } = machine(fakes);
  const orphaning = {
    ...seams,
    send: (pid: number, signal: 'SIGINT' | 'SIGTERM' | 'SIGKILL' | 'SIGCONT') => {
      const answer = seams.send(pid, signal);
      (fakes[1] as Fake).parent = 1;
      return answer;
    },
  };
  await climb(orphaning, order({ recorded: [{ pid: 200, started: '1200' }] }));
  assert.equal(alive(), []);
});

test('a pid that was used again is not signalled', async () => {
  const { seams, sent, alive } = machine([
    { pid: 200, started: '9999' },
    { pid: 201, parent: 200 },
    { pid: 202, group: 200, parent: 1 },
  ]);
  await climb(seams, order({ recorded: [{ pid: 200, started: '1200' }], startedAfter: '0' }));
  await climb(seams, order({ recorded: [{ pid: 200 }], startedAfter: '0' }));
  assert.equal(sent, []);
  assert.equal(alive(), [200, 201, 202]);
});

test('what began before the claim, other users, the dead, ourselves and ancestors are spared', async () => {
  const { seams, sent } = machine([
    { pid: 200, marked: true, started: '10' },
    { pid: 201, marked: true, foreign: true },
    { pid: 202, marked: true, state: 'Z' },
  ]);
  const recorded = [
    { pid: SELF, started: '1100' },
    { pid: 50, started: '1050' },
    { pid: 1, started: '1001' },
  ];
  const result = await climb(seams, order({ recorded, startedAfter: '500' }));
  assert.equal(sent, []);
  assert.equal(result, { ended: [], remaining: [] });
});

test('what can not be ended is told, and the ladder ends', async () => {
  const { seams } = machine([{ pid: 200, endsBy: [] }]);
  const result = await climb(seams, order({ recorded: [{ pid: 200, started: '1200' }] }));
  assert.equal(result, { ended: [], remaining: [200] });
  assert.ok(seams.monotonicMs() < 5000);
});

test('hurry ends the grace; a later first step leaves the earlier ones out', async () => {
  const { seams, sent } = machine([{ pid: 200, endsBy: ['SIGKILL'] }]);
  await climb(seams, order({ recorded: [{ pid: 200, started: '1200' }], graceMs: 60_000, hurry: AbortSignal.abort() }));
  assert.ok(seams.monotonicMs() < 100);
  assert.equal(withoutContinue(sent), ['SIGINT -200', 'SIGTERM -200', 'SIGKILL -200']);
  const other = machine([{ pid: 200 }]);
  await climb(other.seams, order({ recorded: [{ pid: 200, started: '1200' }], first: 'SIGKILL' }));
  assert.equal(other.sent, ['SIGKILL -200']);
});

test('a process that appears while the ladder climbs is found', async () => {
  const fakes: Fake[] = [{ pid: 200, endsBy: ['SIGTERM'] }];
  const { seams, sent, alive } = machine(fakes);
  let looks = 0;
  const table = {
    ...seams.table,
    list: async () => {
      const listed = await seams.table.list();
      return ++looks === 3
        ? [...listed, { pid: 500, parent: 200, group: 500, session: 500, state: 'S', started: '1500' }]
        : listed;
    },
  };
  const found = {
    ...seams,
    table: {
      ...table,
      find: (pid: number) =>
        pid === 500
          ? { pid, parent: 200, group: 500, session: 500, state: 'S', started: '1500' }
          : seams.table.find(pid),
    },
  };
  await climb(found, order({ recorded: [{ pid: 200, started: '1200' }] }));
  assert.ok(sent.includes('SIGINT -500'));
  assert.equal(alive(), []);
});

test('lines of ps are read, names of programs can not confuse them', () => {
  const line = '  501     1   501   502 Ss   Mon Nov 23 06:00:00 2026   ';
  assert.equal(parsePsLine(line), {
    facts: { pid: 501, parent: 1, group: 501, session: 0, state: 'S', started: 'Mon Nov 23 06:00:00 2026' },
    uid: 502,
  });
  assert.is(parsePsLine(''), undefined);
  assert.ok(psLineHolds('501 sleep 5 PATH=/bin AGENTOPS_LEASE_MARKER=m1 HOME=/x', 'AGENTOPS_LEASE_MARKER=m1'));
  assert.not(psLineHolds('501 sleep 5 AGENTOPS_LEASE_MARKER=m11', 'AGENTOPS_LEASE_MARKER=m1'));
});

test.run();

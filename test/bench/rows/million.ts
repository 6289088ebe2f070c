/**
 * What a million events cost: opening them, holding them, and whether anything at all is slower with them than without.
 * The ledger is made first, with the real encoder, in segments of the usual size.
 */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { openHome } from '../../../lib/storage/home.js';
import { layoutOf } from '../../../lib/storage/layout.js';
import { createNodeRandom } from '../../../lib/storage/node-clock.js';
import { createNodeDisk } from '../../../lib/storage/node-disk.js';
import { runLanes } from '../lanes.js';
import { generateLedger, type Lives } from '../ledger-generator.js';
import type { MillionFigures, MillionOrder } from '../million-process.js';
import { inRoom, type Room, type RunningDaemon, TOKEN } from '../room.js';
import type { Row } from '../row.js';
import { percentile } from '../statistics.js';
import { writtenLives } from '../written-lives.js';

const MIB = 1_048_576;
const IDLE_TYPE = 'wiki.forge';
const OTHER_TYPE = 'eval.suite';
const WORKERS = 2;
/** What one turn asks of each daemon, one request after another; turns are short, so that both see the same machine. */
const REQUESTS = 40;
/** Of what takes a tenth of a millisecond: of fewer the median differs by a third from turn to turn. */
const SHORT_REQUESTS = 200;
const TURNS_PER_ROUND = 8;
/** Before: threads, code and read models warm up, and code becomes faster for as long as this. */
const WARM_UP_TURNS = 15;
const PAGE_EVENTS = 100;
/** A job that ran: far enough apart that the next finds an idle worker. */
const PAUSE_MS = 5;
/** No dearer with a million events than without, but for what rounds differ by. */
const SAME = { atMost: 1.15 };

export async function millionRows(rounds: number, events: number): Promise<Row[]> {
  const written = await inRoom((room) => writtenRow(room, rounds, events));
  return inRoom((large) =>
    inRoom(async (empty) => {
      const bytes = await fill(large, events);
      const opened = await openingRows(large, rounds, bytes);
      return [...opened, written, ...(await servingRows(large, empty, rounds))];
    }),
  );
}

async function fill({ root, state }: Room, events: number, lives?: Lives): Promise<number> {
  const disk = createNodeDisk();
  const env = { AGENTOPSD_STATE_DIR: state };
  const home = await openHome({ disk, random: createNodeRandom(), root, env });
  const ledgerFolder = layoutOf(root).ledger;
  return (await generateLedger({ disk, root, ledgerFolder, home, events, ...(lives && { lives }) })).bytes;
}

// ------------------------------------------------------------------------------------------------------------ opening

interface Opened {
  readonly ms: number[];
  readonly rssMiB: number[];
  readonly plain: number[];
}

/** The same for a ledger as people and agents leave it. */
async function writtenRow(room: Room, rounds: number, events: number): Promise<Row> {
  await fill(room, events, writtenLives);
  const run = async (kind: MillionOrder['kind']): Promise<number> =>
    (await room.once<MillionFigures>('million-process.js', { kind, root: room.root, state: room.state })).ms;
  await run('plain');
  const [values, plain]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    plain.push(await run('plain'));
    values.push(await run('open'));
  }
  const baseline = { name: 'plain JSON.parse replay', unit: 'ms', values: plain };
  return { figure: 'full replay, prompts in several scripts, heartbeats, agents', unit: 'ms', values, baseline };
}

async function openingRows(room: Room, rounds: number, bytes: number): Promise<Row[]> {
  const run = (kind: MillionOrder['kind'], state = room.state): Promise<MillionFigures> =>
    room.once<MillionFigures>('million-process.js', { kind, root: room.root, state });
  // Each figure beside the plain replays of its own rounds: the machine drifts.
  const opened = async (): Promise<Opened> => {
    const found: Opened = { ms: [], rssMiB: [], plain: [] };
    for (let round = 0; round < rounds; round++) {
      found.plain.push((await run('plain')).ms);
      const { ms, rssBytes } = await run('open');
      found.ms.push(ms);
      found.rssMiB.push(rssBytes / MIB);
    }
    return found;
  };
  await run('plain');
  const full = await opened();
  const strange: Opened = { ms: [], rssMiB: [], plain: [] };
  for (let round = 0; round < rounds; round++) {
    strange.plain.push((await run('plain')).ms);
    strange.ms.push(await asStranger(room, (state) => run('open', state)));
  }
  const readingMiB = [(await run('read')).rssBytes / MIB];
  await run('kill');
  const killed = await opened();
  await run('stop');
  const stopped = await opened();
  const parsed = ({ plain }: Opened) => ({ name: 'plain JSON.parse replay', unit: 'ms', values: plain });
  const size = { name: 'bytes on disk', unit: 'MiB', values: [bytes / MIB] };
  const memory = (figure: string, values: number[]): Row => ({
    figure: `memory of a million events, ${figure}`,
    unit: 'MiB',
    values,
    baseline: size,
    reach: { atMost: 0.8 },
  });
  return [
    {
      figure: 'full replay of a million events, chain verified',
      unit: 'ms',
      values: full.ms,
      baseline: parsed(full),
      reach: { atMost: 1.7 },
    },
    { figure: 'the same, of another home', unit: 'ms', values: strange.ms, baseline: parsed(strange) },
    { figure: 'ready after kill -9, once it had opened them', unit: 'ms', values: killed.ms, baseline: parsed(killed) },
    {
      figure: 'ready after a clean stop',
      unit: 'ms',
      values: stopped.ms,
      baseline: parsed(stopped),
      reach: { atMost: 0.3 },
    },
    memory('after a full replay', full.rssMiB),
    memory('after a clean stop', stopped.rssMiB),
    memory('the most while all are read', readingMiB),
  ];
}

/** As who cloned the repository: nothing vouches for the ledger. What is left of it there goes. */
async function asStranger(room: Room, open: (state: string) => Promise<MillionFigures>): Promise<number> {
  const { ledger } = layoutOf(room.root);
  const state = join(room.top, 'stranger');
  const before = new Set(await readdir(ledger));
  const { ms } = await open(state);
  for (const name of await readdir(ledger)) if (!before.has(name)) await rm(join(ledger, name));
  await rm(state, { recursive: true });
  return ms;
}

// ------------------------------------------------------------------------------------------------------------ serving

type Figure = 'accept' | 'cancel' | 'run' | 'cursor' | 'ready';
type Figures = Record<Figure, number[]>;

async function servingRows(large: Room, empty: Room, rounds: number): Promise<Row[]> {
  const sides = await Promise.all(
    [large, empty].map(async (room) => {
      const daemon = await room.startDaemon({ workers: WORKERS });
      await verified(daemon.port);
      const figures: Figures = { accept: [], cancel: [], run: [], cursor: [], ready: [] };
      return { room, daemon, figures };
    }),
  );
  for (let turn = 0; turn < WARM_UP_TURNS + rounds * TURNS_PER_ROUND; turn++)
    for (const { room, daemon, figures } of sides) {
      const measured = await oneTurn(room, daemon, turn);
      if (turn < WARM_UP_TURNS) continue;
      for (const figure of Object.keys(figures) as Figure[]) figures[figure].push(measured[figure]);
    }
  for (const { daemon } of sides) await daemon.stop();
  const [full, bare] = sides.map(({ figures }) => figures) as [Figures, Figures];
  const row = (figure: Figure, name: string): Row => ({
    figure: `${name} with a million events`,
    unit: 'ms',
    values: full[figure],
    baseline: { name: 'without', unit: 'ms', values: bare[figure] },
    reach: SAME,
  });
  return [
    row('accept', 'accept p50, 1 lane,'),
    row('run', 'accepted to completed (claim, run, complete), mean,'),
    row('cancel', 'cancel p50, 1 lane,'),
    row('cursor', `${PAGE_EVENTS} events behind a cursor p50`),
    row('ready', '/v1/ready p50'),
  ];
}

async function oneTurn(room: Room, { port }: RunningDaemon, turn: number): Promise<Record<Figure, number>> {
  const order = { kind: 'submit', lanes: 1, requests: REQUESTS } as const;
  const accepted = await room.load(port, { ...order, jobType: OTHER_TYPE, name: `wait-${turn}` });
  // Before that an empty ledger has no event to go on from.
  const cursor = await lastEventId(port);
  const jobIds = Object.keys(accepted.answeredAtMs);
  const cancel = await runLanes({
    port,
    token: TOKEN,
    lanes: 1,
    method: 'POST',
    path: '/v1/jobs/cancel',
    body: (at) => JSON.stringify({ schema_version: 1, request_id: `cancel-${turn}-${at}`, job_id: jobIds[at] }),
    requests: jobIds.length,
  });
  if (cancel.statuses['202'] !== jobIds.length) throw new Error(`cancels: ${JSON.stringify(cancel.statuses)}`);
  const behind = await lastEventId(port);
  await room.load(port, { ...order, jobType: IDLE_TYPE, name: `run-${turn}`, pauseMs: PAUSE_MS });
  const page = `/v1/events?limit=${PAGE_EVENTS}&after_id=${encodeURIComponent(cursor)}`;
  return {
    accept: accepted.p50Ms,
    cancel: percentile(cancel.latenciesMs, 0.5),
    run: await runMs(port, behind),
    cursor: (await room.load(port, { kind: 'get', path: page, requests: REQUESTS })).p50Ms,
    ready: (await room.load(port, { kind: 'get', path: '/v1/ready', requests: SHORT_REQUESTS })).p50Ms,
  };
}

interface EventTold {
  readonly event_type: string;
  readonly job_id: string;
  readonly occurred_at: string;
}

/** From the stamps of the ledger: a millisecond each, so the mean of all. */
async function runMs(port: number, cursor: string): Promise<number> {
  const acceptedAt = new Map<string, number>();
  for (;;) {
    const { events } = await asked<{ events: EventTold[] }>(port, `/v1/events?after_id=${encodeURIComponent(cursor)}`);
    const tooks: number[] = [];
    for (const { event_type, job_id, occurred_at } of events) {
      if (event_type === 'job.accepted') acceptedAt.set(job_id, Date.parse(occurred_at));
      const begun = acceptedAt.get(job_id);
      if (event_type === 'job.completed' && begun !== undefined) tooks.push(Date.parse(occurred_at) - begun);
    }
    if (tooks.length >= REQUESTS) return tooks.reduce((sum, ms) => sum + ms, 0) / tooks.length;
    await new Promise((resume) => setTimeout(resume, 50));
  }
}

async function lastEventId(port: number): Promise<string> {
  const { projection_lag } = await asked<{ projection_lag: { last_event_id?: string } }>(port, '/v1/ready');
  if (projection_lag.last_event_id === undefined) throw new Error('there is no event to go on from');
  return projection_lag.last_event_id;
}

/** What a start does beside the work is over: the verification of the older part. */
async function verified(port: number): Promise<void> {
  while ('verified_through' in (await asked<object>(port, '/v1/ready')))
    await new Promise((resume) => setTimeout(resume, 200));
}

async function asked<Body>(port: number, path: string): Promise<Body> {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { 'x-agentops-daemon-token': TOKEN } });
  return (await answer.json()) as Body;
}

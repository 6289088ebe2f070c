/**
 * Damage to the files, told by the built daemon: a torn end is none; of a flipped bit, an edited, a removed and a moved
 * line everybody tells the same segment and line; nothing is claimed behind it until somebody accepts it; reading writes
 * nothing.
 */
import { createHash } from 'node:crypto';
import { appendFileSync, cpSync, lstatSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { auditLedger } from '../support/crash-audit.js';
import { type CrashDaemon, CrashRoom, readyWords, TOKEN } from '../support/crash-room.js';

const test = suite('damage');
const NO_WORKERS = { words: ['--workers', '0'] };
const WORKING = { words: ['--workers', '1'] };
const JOBS = 5;
const READS = [['verify'], ['status'], ['jobs'], ['events'], ['show', 'job_1']];
/** The line of the third job, behind the header. */
const LINE = 4;

let room: CrashRoom;
let segment: string;
let saved: string;
test.before(async () => {
  room = await CrashRoom.open();
  const daemon = await room.start(NO_WORKERS);
  for (let number = 1; number <= JOBS; number++) {
    await daemon.submit({ job_type: 'openclaw.snapshot', job_id: `job_${number}`, idempotency_key: `key-${number}` });
  }
  await daemon.end('SIGKILL');
  segment = readdirSync(room.ledger)[0] as string;
  saved = await mkdtemp(join(tmpdir(), 'agentopsd-'));
  cpSync(room.cli.folder, saved, { recursive: true });
});
// The state folder belongs to the path of the repository: everything is put back where it was.
test.before.each(async () => {
  await room.endAll();
  for (const name of readdirSync(room.cli.folder)) rmSync(join(room.cli.folder, name), { recursive: true });
  cpSync(saved, room.cli.folder, { recursive: true });
});
test.after(async () => {
  await room.close();
  await rm(saved, { recursive: true, force: true });
});

function path(): string {
  return join(room.ledger, segment);
}

function editLines(edit: (lines: string[]) => string[]): void {
  writeFileSync(path(), `${edit(readFileSync(path(), 'utf8').split('\n').slice(0, -1)).join('\n')}\n`);
}

function inLine(edit: (line: string) => string): (lines: string[]) => string[] {
  return (lines) => lines.map((line, at) => (at === LINE - 1 ? edit(line) : line));
}

for (const [what, tail] of [
  ['a line cut short', '{"actor":"ao-http:legacy","commit":{"from":6,"ma'],
  ['zero bytes', '\0'.repeat(700)],
  ['half a line and zero bytes', `{"actor":"ao-ht${'\0'.repeat(300)}`],
] as const) {
  test(`a torn end is no damage, is kept, and is cut: ${what}`, async () => {
    const whole = readFileSync(path());
    appendFileSync(path(), tail);
    const daemon = await room.start(NO_WORKERS);
    const ready = await daemon.tellsReady();
    assert.equal([ready.ready, ready.ledger_replay_status], [true, 'complete'], JSON.stringify(ready));
    assert.is((await daemon.tellsEvents()).events.length, JOBS);
    assert.ok(readFileSync(path()).equals(whole));
    const quarantine = room.path('.agents/daemon/quarantine');
    const kept = readdirSync(quarantine).filter((name) => !name.endsWith('.note.json'));
    assert.equal(
      kept.map((name) => readFileSync(join(quarantine, name), 'utf8')),
      [tail],
    );
    await daemon.end();
    auditLedger(room.ledger);
    assert.is((await room.cli.run(['verify'])).status, 0);
  });
}

test('a last batch cut in its middle was never acknowledged', async () => {
  writeFileSync(path(), readFileSync(path()).subarray(0, -40));
  const daemon = await room.start(NO_WORKERS);
  const ready = await daemon.tellsReady();
  // This one was: the anchor of the home knows of it, where it had the time to be written.
  assert.is((await daemon.tellsEvents()).events.length, JOBS - 1);
  if (!ready.ready) assert.match(readyWords(ready), 'which was acknowledged here, is missing');
});

for (const [what, edit, line] of [
  ['a flipped bit', inLine((text) => flipped(text, text.indexOf('job_3'))), LINE],
  ['a flipped bit in a mac', inLine((text) => flipped(text, text.indexOf('"mac":"') + 20)), LINE],
  ['an edited line', inLine((text) => text.replaceAll('key-3', 'key-9')), LINE],
  ['a line that is no JSON', inLine(() => 'not a line'), LINE],
  ['a removed line', (lines: string[]) => lines.filter((_, at) => at !== LINE - 1), LINE],
] as const) {
  test(`${what}: everybody tells the same place, and work waits until the damage is accepted`, async () => {
    editLines(edit);
    const daemon = await room.start(WORKING);
    const places = await toldPlaces(daemon);
    assert.is(places.length, 1, JSON.stringify(places));
    assert.ok(Math.abs((places[0]?.line ?? 0) - line) <= 1, JSON.stringify(places));
    if (what !== 'a removed line') assert.is(places[0]?.line, line);
    assert.equal(await verifiedPlaces(), places);

    assert.is((await daemon.ask('POST', '/openclaw/v1/triggers/jobs', { job_type: 'openclaw.snapshot' })).status, 503);
    assert.is((await daemon.submit({ job_type: 'openclaw.snapshot', job_id: 'later' })).status, 202);
    await untilStatus(daemon, 'later', 'completed');
    await untilStatus(daemon, 'job_1', 'queued');

    const { damage_adopted } = await room.cli.json('adopted', ['adopt', '--damage'], {
      env: { AGENTOPSD_TOKEN: TOKEN },
    });
    assert.is(damage_adopted, 1);
    assert.is((await daemon.tellsReady()).ready, true);
    await untilStatus(daemon, 'job_1', 'completed');
    if (what !== 'an edited line') return;
    await daemon.end('SIGKILL');
    const next = await room.start(NO_WORKERS);
    assert.is((await next.tellsReady()).ready, true, 'what was accepted stays so');
  });
}

test('reading writes nothing, however often and whatever is damaged', async () => {
  editLines(inLine((text) => flipped(text, 30)));
  const daemon = await room.start(NO_WORKERS);
  // What a daemon writes by itself behind its start: projections, the anchor.
  await daemon.until('it is quiet', async () => treeHashWhileChanging(room.root), quietFor(1_200));
  const before = treeHash(room.root);
  for (const route of ['/v1/health', '/v1/ready', '/v1/status', '/v1/events', '/v1/jobs/job_1', '/metrics']) {
    await daemon.ask('GET', route).catch(() => undefined);
  }
  for (const route of ['health', 'snapshot/latest', 'runs', 'jobs', 'wiki'])
    await daemon.ask('GET', `/openclaw/v1/${route}`);
  await Promise.all([...READS, ['doctor']].map((words) => room.cli.run(words)));
  assert.is(treeHash(room.root), before);
  await daemon.end('SIGKILL');
  const stopped = treeHash(room.cli.folder);
  await Promise.all(READS.map((words) => room.cli.run(words)));
  assert.is(treeHash(room.cli.folder), stopped);
});

function flipped(text: string, at: number): string {
  return text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ 1) + text.slice(at + 1);
}

interface PlaceOfDamage {
  readonly file: string;
  readonly line: number;
}

/** What `/v1/events` tells, held against `/v1/ready`. */
async function toldPlaces(daemon: CrashDaemon): Promise<PlaceOfDamage[]> {
  const ready = await daemon.tellsReady();
  assert.equal([ready.ready, ready.ledger_replay_status], [false, 'corrupt']);
  const { corrupt = [] } = await daemon.tellsEvents();
  assert.is(ready.projection_lag.corrupt_record_count, corrupt.length);
  return corrupt.map(({ line_number, segment: file, segment_line, quarantine_path }) => {
    assert.is(line_number, segment_line, 'there is one segment with lines');
    assert.match(readyWords(ready), `${file}:${segment_line}:`);
    if (quarantine_path !== undefined) assert.ok(lstatSync(room.path(quarantine_path)).isFile());
    return { file: file ?? '', line: segment_line ?? 0 };
  });
}

async function verifiedPlaces(): Promise<PlaceOfDamage[]> {
  const { status, stdout } = await room.cli.run(['verify', '--json']);
  assert.is(status, 1);
  const { findings } = (JSON.parse(stdout) as { data: { findings: PlaceOfDamage[] } }).data;
  return findings.map(({ file, line }) => ({ file: file.slice(file.lastIndexOf('/') + 1), line }));
}

async function untilStatus(daemon: CrashDaemon, jobId: string, status: string): Promise<void> {
  await daemon.until(
    `${jobId} is ${status}`,
    async () => (await daemon.tellsStatus()).queue.jobs.find((job) => job.job_id === jobId)?.status,
    (found) => found === status,
  );
}

/** Names and bytes of all that stands below a folder. */
function treeHash(folder: string): string {
  const hash = createHash('sha256');
  const look = (at: string): void => {
    const facts = lstatSync(at);
    hash.update(`${at}\0${facts.mode}\0`);
    if (facts.isDirectory()) for (const name of readdirSync(at).sort()) look(join(at, name));
    else if (facts.isFile()) hash.update(readFileSync(at));
  };
  look(folder);
  return hash.digest('hex');
}

/** The same where something may go while it is looked at: then it is another tree. */
function treeHashWhileChanging(folder: string): string {
  try {
    return treeHash(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return `changed at ${performance.now()}`;
  }
}

function quietFor(ms: number): (hash: string) => boolean {
  let last = '';
  let since = performance.now();
  return (hash) => {
    if (hash !== last) since = performance.now();
    last = hash;
    return performance.now() - since >= ms;
  };
}

test.run();

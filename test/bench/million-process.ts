/**
 * What a large ledger costs one process: `argv[2]` is what to do, as JSON; one message tells the figures. Starting the
 * process is not counted.
 *
 *   plain   reads the files, splits, `JSON.parse` of each line: nothing verified, nothing kept
 *   open    opens the ledger as the daemon does and leaves it as after a crash
 *   read    the same, and reads all events once
 *   kill    the same as `open`, and leaves it so once the checkpoint behind a long opening is written
 *   stop    the same as `open`, and closes the ledger, which writes a checkpoint
 */
import { closeSync, openSync, readdirSync, readSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { openKernel } from '../../lib/engine/kernel.js';
import { openFileLedger } from '../../lib/storage/file-ledger.js';
import { openHome } from '../../lib/storage/home.js';
import { layoutOf } from '../../lib/storage/layout.js';
import { createChainThread } from '../../lib/storage/node-chain-thread.js';
import { createNodeClock, createNodeRandom } from '../../lib/storage/node-clock.js';
import { createNodeDisk } from '../../lib/storage/node-disk.js';

export interface MillionOrder {
  readonly kind: 'plain' | 'open' | 'read' | 'kill' | 'stop';
  readonly root: string;
  readonly state: string;
}

export interface MillionFigures {
  readonly ms: number;
  readonly events: number;
  /** Resident, after a collection; with `read` the most while all is read. */
  readonly rssBytes: number;
}

const BLOCK_BYTES = 4_194_304;
const NEWLINE = 0x0a;
const EVENTS_PER_LOOK = 50_000;
const CHECKPOINT_WITHIN_MS = 60_000;
const LOOK_MS = 20;

const settledRss = (): number => {
  (globalThis as { gc?: () => void }).gc?.();
  return process.memoryUsage.rss();
};

function plain({ root }: MillionOrder): MillionFigures {
  const folder = layoutOf(root).ledger;
  const begun = performance.now();
  const block = Buffer.alloc(BLOCK_BYTES);
  let events = 0;
  for (const name of readdirSync(folder).sort()) {
    const file = openSync(join(folder, name), 'r');
    let open: Buffer = Buffer.alloc(0);
    for (;;) {
      const length = readSync(file, block, 0, block.length, null);
      if (length === 0) break;
      const text = open.length > 0 ? Buffer.concat([open, block.subarray(0, length)]) : block.subarray(0, length);
      let at = 0;
      for (let end = text.indexOf(NEWLINE); end >= 0; end = text.indexOf(NEWLINE, at)) {
        if ((JSON.parse(text.toString('latin1', at, end)) as { event_id?: string }).event_id !== undefined) events++;
        at = end + 1;
      }
      open = Buffer.from(text.subarray(at));
    }
    closeSync(file);
  }
  return { ms: performance.now() - begun, events, rssBytes: settledRss() };
}

async function opening({ kind, root, state }: MillionOrder): Promise<MillionFigures> {
  const [disk, random, clock] = [createNodeDisk(), createNodeRandom(), createNodeClock()];
  const begun = performance.now();
  const home = await openHome({ disk, random, root, env: { AGENTOPSD_STATE_DIR: state } });
  const kernel = await openKernel({
    clock,
    openLedger: async (observer) =>
      (await openFileLedger({ disk, clock, random, root, home, observer, chainThread: createChainThread })).ledger,
  });
  const ms = performance.now() - begun;
  let rssBytes = settledRss();
  let read = 0;
  if (kind === 'read')
    for await (const _ of kernel.ledger.read(1))
      if (++read % EVENTS_PER_LOOK === 0) rssBytes = Math.max(rssBytes, process.memoryUsage.rss());
  if (kind === 'kill') await checkpointIn(home.folder);
  if (kind === 'stop') await kernel.ledger.close();
  return { ms, events: kernel.state.eventCount, rssBytes };
}

async function checkpointIn(stateFolder: string): Promise<void> {
  const endsAt = performance.now() + CHECKPOINT_WITHIN_MS;
  for (;;) {
    const names = await readdir(join(stateFolder, 'checkpoints')).catch(() => []);
    if (names.some((name) => name.endsWith('.checkpoint'))) return;
    if (performance.now() > endsAt) throw new Error(`no checkpoint within ${CHECKPOINT_WITHIN_MS} ms`);
    await new Promise((resume) => setTimeout(resume, LOOK_MS));
  }
}

const order = JSON.parse(process.argv[2] as string) as MillionOrder;
const figures = order.kind === 'plain' ? plain(order) : await opening(order);
process.send?.(figures, undefined, undefined, () => process.exit());

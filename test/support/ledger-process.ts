/**
 * A process that becomes the writer: `node ledger-process.js ROOT STATE [hold|patient]`. It says on its standard output, a
 * JSON object a line: `{refused}` or `{ready, replayed}`, then `{acknowledged: seq}` for each event that it appends until
 * it is killed; with `hold` it appends nothing, with `patient` one at a time, and it goes on after a refusal.
 */
import { AgentopsdError } from '../../lib/base/errors.js';
import { type FileLedger, openFileLedger } from '../../lib/storage/file-ledger.js';
import { openHome } from '../../lib/storage/home.js';
import { createNodeClock } from '../../lib/storage/node-clock.js';
import { createNodeDisk } from '../../lib/storage/node-disk.js';
import { createNodeRandom } from '../../lib/storage/node-random.js';
import { eventOf, until } from './ledger-place.js';

const [, , root = '', state = '', manner] = process.argv;
const seams = { disk: createNodeDisk(), clock: createNodeClock(), random: createNodeRandom() };
const say = (line: object): boolean => process.stdout.write(`${JSON.stringify(line)}\n`);
let replayed = 0;

try {
  const home = await openHome({ ...seams, root, env: { AGENTOPSD_STATE_DIR: state } });
  const { ledger, plan } = await openFileLedger({
    ...seams,
    root,
    home,
    progress: (text) => say({ progress: text }),
    observer: {
      onReplayed: () => {
        replayed += 1;
      },
      onDurable: () => undefined,
      onDiscarded: () => undefined,
      onStopped: (reason) => say({ stopped: reason }),
    },
  });
  say({ ready: true, replayed, status: plan.status, damage: ledger.health().damage.length });
  const alive = setInterval(() => undefined, 1_000);
  process.on('SIGTERM', () => {
    void ledger.close().then(() => {
      clearInterval(alive);
      process.exit(0);
    });
  });
  if (manner === undefined) await appendForEver(ledger.lastSeq(), (seq) => ledger.append([eventOf(seq)]));
  if (manner === 'patient') await appendPatiently(ledger);
} catch (error) {
  say({ refused: error instanceof AgentopsdError ? error.toData() : String(error) });
  process.exit(6);
}

async function appendPatiently(ledger: FileLedger): Promise<void> {
  for (;;) {
    const seq = ledger.lastSeq() + 1;
    try {
      await ledger.append([eventOf(seq)]);
      say({ acknowledged: seq });
    } catch {
      say({ refusedOnce: true });
      await new Promise((resume) => setImmediate(resume));
      await until('there is room', () => ledger.health().writable);
    }
  }
}

async function appendForEver(lastSeq: number, append: (seq: number) => Promise<unknown>): Promise<void> {
  const lanes = 8;
  let next = lastSeq + 1;
  const lane = async (): Promise<void> => {
    for (;;) {
      const seq = next++;
      try {
        await append(seq);
      } catch {
        return;
      }
      say({ acknowledged: seq });
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

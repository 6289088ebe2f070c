/**
 * `anchor.json` in the home: an acknowledged event, `{seq, hash}` with the SHA-256 of its line. A ledger that lacks it
 * is an older one (a checkout, a restored backup), in which finished jobs look unfinished. It is written lazily and
 * always behind the acknowledgement, so it never names what a crash may still take away.
 */
import { join } from 'node:path';
import { canonicalJson } from '../base/canonical.js';
import { isJsonObject } from '../base/json.js';
import type { FileSeams } from './atomic-file.js';
import { readSmallFile, replaceFile } from './atomic-file.js';
import type { Disk } from './disk.js';
import type { Home } from './home.js';
import type { ReplayPlan } from './replay-plan.js';

export interface Anchor {
  /** `seq` of the event; at least 1. */
  readonly seq: number;
  /** Lower-case hex. */
  readonly hash: string;
}

const ANCHOR_MAX_BYTES = 4096;

/** Undefined when there is none, or when a loss of power left it without its content. */
export async function readAnchor(disk: Disk, home: Pick<Home, 'folder'>): Promise<Anchor | undefined> {
  const bytes = await readSmallFile(disk, anchorPath(home), ANCHOR_MAX_BYTES);
  if (bytes === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
  if (!isJsonObject(value)) return undefined;
  const { seq, hash } = value;
  if (typeof seq !== 'number' || !Number.isSafeInteger(seq) || seq < 1 || typeof hash !== 'string') return undefined;
  return { seq, hash };
}

/**
 * What an opening may anchor: the end that its own header seals. A daemon that was killed before it wrote its anchor
 * leaves that to the next one. Undefined where anything is damaged, doubtful, or somebody else's.
 */
export function anchorOfHead({ status, twoHeads, chain, lastSeq, lastHash }: ReplayPlan): Anchor | undefined {
  const isOurs = chain.at(-1)?.ours === true;
  if (status !== 'complete' || twoHeads || lastSeq === 0 || lastHash === undefined || !isOurs) return undefined;
  return { seq: lastSeq, hash: lastHash };
}

export async function writeAnchor(seams: FileSeams, home: Pick<Home, 'folder'>, anchor: Anchor): Promise<void> {
  await replaceFile(seams, anchorPath(home), `${canonicalJson({ seq: anchor.seq, hash: anchor.hash })}\n`, {
    durable: false,
  });
}

function anchorPath(home: Pick<Home, 'folder'>): string {
  return join(home.folder, 'anchor.json');
}

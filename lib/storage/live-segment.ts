/** The segment that this writer made and writes: made, headed, synced and checked before anybody sees anything. */
import { join } from 'node:path';
import type { Clock } from '../base/clock.js';
import { timestamp } from '../base/clock.js';
import { AgentopsdError } from '../base/errors.js';
import { SHARED_FOLDER, writeWhole } from './atomic-file.js';
import { whyNotOurs } from './check.js';
import type { Disk, DiskFile } from './disk.js';
import { refuseLinksBelow } from './folder.js';
import type { Home } from './home.js';
import type { Layout } from './layout.js';
import { encodeHeaderLine, hashOfLine } from './line.js';
import { segmentName } from './segment.js';
import type { Term } from './terms.js';

export interface LiveSegment {
  readonly name: string;
  readonly file: DiskFile;
  readonly term: Term;
  /** What is acknowledged; the header is. Grows with each batch. */
  sizeBytes: number;
  /** Lines that are acknowledged, the header among them. */
  lines: number;
  /** Hash of the last acknowledged line. */
  lastHash: string;
}

export interface SegmentOptions {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly layout: Layout;
  readonly home: Pick<Home, 'id' | 'key'>;
  readonly writer: string;
}

/** Where a segment goes on from; undefined in an empty ledger. */
export interface GoesOn {
  readonly after: { readonly segment: string; readonly length: number };
  readonly lastHash: string;
}

/** 0644 like any other committed file: the ledger is no secret, it stands in git. */
const SEGMENT_FILE = 0o644;

/**
 * Creates the segment of `term`, exclusively, with its header on the disk, and checks that all is still ours.
 * @throws AgentopsdError `daemon_running` when the check fails; DiskError
 */
export async function createSegment(
  options: SegmentOptions,
  term: Term,
  goesOn: GoesOn | undefined,
): Promise<LiveSegment> {
  const { disk, layout, home, writer } = options;
  refuseLinksBelow(disk, layout.root, layout.ledger);
  if (disk.factsSync(layout.ledger) === undefined) await disk.makeFolder(layout.ledger, SHARED_FOLDER);
  const name = segmentName(term.number, writer);
  const header = {
    term: term.number,
    writer,
    home: home.id,
    opened_at: timestamp(options.clock.wallMs()),
    ...(goesOn === undefined ? {} : { after: goesOn.after }),
  };
  const line = Buffer.from(encodeHeaderLine(header, goesOn?.lastHash, home.key), 'utf8');
  const bytes = Buffer.concat([line, Buffer.from('\n')]);
  const file = await disk.open(join(layout.ledger, name), 'create', SEGMENT_FILE);
  try {
    writeWhole(file, bytes, 0);
    await file.datasync();
    await disk.syncFolder(layout.ledger);
    const why = whyNotOurs(disk, term, { file, sizeBytes: bytes.length });
    if (why !== undefined)
      throw new AgentopsdError('daemon_running', why, { hint: 'see which daemon runs on this folder' });
    return { name, file, term, sizeBytes: bytes.length, lines: 1, lastHash: hashOfLine(line) };
  } catch (error) {
    await file.close();
    throw error;
  }
}

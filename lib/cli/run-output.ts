/** The output of an attempt, read from its file in the run folder. */
import { join } from 'node:path';
import { AgentopsdError } from '../base/errors.js';
import { fileNameOf } from '../base/file-name.js';
import { type Disk, DiskError, type DiskFile } from '../storage/disk.js';
import { refuseLinksBelow } from '../storage/folder.js';

const PIECE_BYTES = 65_536;
const NEWLINE = 0x0a;

/** Relative to the root. */
export function outputPath(jobId: string, attempt: number): string {
  return `.agents/runs/${fileNameOf(jobId)}/attempt-${attempt}/output.log`;
}

/** Undefined when the attempt left none, or its folder went to make room. @throws AgentopsdError `file_unsafe` */
export async function openOutput(disk: Disk, root: string, path: string): Promise<DiskFile | undefined> {
  refuseLinksBelow(disk, root, join(root, path, '..'));
  try {
    return await disk.open(join(root, path), 'read');
  } catch (error) {
    if (error instanceof DiskError && (error.errno === 'ENOENT' || error.errno === 'ENOTDIR')) return undefined;
    throw error;
  }
}

/** Reads what was added since the last call, decoded. A file that became shorter is read on from its new end. */
export class OutputReader {
  readonly #file: DiskFile;
  readonly #decoder = new TextDecoder();
  #position: number;

  constructor(file: DiskFile, position: number) {
    this.#file = file;
    this.#position = position;
  }

  async *added(): AsyncGenerator<string> {
    this.#position = Math.min(this.#position, this.#file.factsSync().sizeBytes);
    for (;;) {
      const piece = await this.#file.read(this.#position, PIECE_BYTES);
      if (piece.length === 0) return;
      this.#position += piece.length;
      yield this.#decoder.decode(piece, { stream: true });
    }
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

/** The byte at which the last `lines` lines begin. */
export async function startOfLastLines(file: DiskFile, lines: number): Promise<number> {
  const { sizeBytes } = file.factsSync();
  if (lines === 0) return sizeBytes;
  let left = lines;
  for (let end = sizeBytes; end > 0; ) {
    const start = Math.max(0, end - PIECE_BYTES);
    const piece = await file.read(start, end - start);
    for (let at = piece.length - 1; at >= 0; at--) {
      // The newline at the very end closes the last line and begins none.
      if (piece[at] !== NEWLINE || start + at === sizeBytes - 1) continue;
      left -= 1;
      if (left === 0) return start + at + 1;
    }
    end = start;
  }
  return 0;
}

export function noOutput(path: string): AgentopsdError {
  return new AgentopsdError('unknown_path', `there is no ${path}`, {
    hint: 'the attempt has not begun, left nothing, or its folder was removed to make room (limits.runs_bytes)',
  });
}

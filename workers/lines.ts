/** Cuts a stream of bytes into lines. What is kept of an unfinished line is bounded. */

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

export interface LineReader {
  /** Calls back for each line that `bytes` ends, without its newline. @throws RangeError for a line over the limit */
  take(bytes: Buffer): void;
  /** The last line, when it has no newline. */
  end(): void;
}

/** @param maxBytes of one line */
export function createLineReader(maxBytes: number, onLine: (line: string) => void): LineReader {
  let begun: Buffer[] = [];
  let begunBytes = 0;

  const keep = (bytes: Buffer) => {
    begunBytes += bytes.length;
    if (begunBytes > maxBytes) throw new RangeError(`a line of its output is longer than ${maxBytes} bytes`);
    if (bytes.length > 0) begun.push(bytes);
  };
  const finish = () => {
    const line = Buffer.concat(begun);
    begun = [];
    begunBytes = 0;
    onLine((line.at(-1) === CARRIAGE_RETURN ? line.subarray(0, -1) : line).toString('utf8'));
  };

  return {
    take(bytes) {
      let from = 0;
      for (let to = bytes.indexOf(NEWLINE); to !== -1; to = bytes.indexOf(NEWLINE, from)) {
        keep(bytes.subarray(from, to));
        finish();
        from = to + 1;
      }
      keep(bytes.subarray(from));
    },
    end() {
      if (begunBytes > 0) finish();
    },
  };
}

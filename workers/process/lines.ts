/** Cuts a stream of bytes into lines. What is kept of an unfinished line is bounded. */

const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

export interface LineReader {
  /** Calls back for each line that `bytes` ends, without its newline. @throws RangeError for a line over the limit */
  take(bytes: Buffer): void;
  /** The last line, when it has no newline. */
  end(): void;
}

/**
 * @param maxBytes of one line
 * @param onLong called once for each line over the limit, which is then passed over; without it such a line throws
 */
export function createLineReader(maxBytes: number, onLine: (line: string) => void, onLong?: () => void): LineReader {
  let begun: Buffer[] = [];
  let begunBytes = 0;
  let isLong = false;

  const keep = (bytes: Buffer) => {
    begunBytes += bytes.length;
    if (begunBytes > maxBytes) {
      if (onLong === undefined) throw new RangeError(`a line of its output is longer than ${maxBytes} bytes`);
      isLong = true;
      begun = [];
    }
    if (bytes.length > 0 && !isLong) begun.push(bytes);
  };
  const finish = () => {
    const line = Buffer.concat(begun);
    const wasLong = isLong;
    begun = [];
    begunBytes = 0;
    isLong = false;
    if (wasLong) onLong?.();
    else onLine((line.at(-1) === CARRIAGE_RETURN ? line.subarray(0, -1) : line).toString('utf8'));
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

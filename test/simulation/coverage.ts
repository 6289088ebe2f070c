/** How often each fault met each call, and how often each other thing happened: printed as a table without a hole. */
import type { DiskCall } from '../support/memory-disk.js';
import { calls, type Happening, happenings, rows } from './faults.js';

export class Coverage {
  readonly #met = new Map<string, number>();
  readonly #happened = new Map<string, number>();

  meets(row: string, call: DiskCall): void {
    const cell = `${row}/${call}`;
    this.#met.set(cell, (this.#met.get(cell) ?? 0) + 1);
  }
  happens(what: Happening): void {
    this.#happened.set(what, (this.#happened.get(what) ?? 0) + 1);
  }

  add(other: Coverage): void {
    for (const [cell, count] of other.#met) this.#met.set(cell, (this.#met.get(cell) ?? 0) + count);
    for (const [what, count] of other.#happened) this.#happened.set(what, (this.#happened.get(what) ?? 0) + count);
  }

  /** Faults that never met a call that they are listed for, and things that never happened. */
  holes(): string[] {
    const cells = [...rows()].flatMap(([row, listed]) => listed.map((call) => `${row}/${call}`));
    return [
      ...cells.filter((cell) => !this.#met.has(cell)),
      ...happenings.filter((happening) => !this.#happened.has(happening)),
    ];
  }

  table(): string {
    const width = 10;
    const line = (name: string, cells: readonly string[]): string =>
      `${name.padEnd(22)}${cells.map((cell) => cell.padStart(width)).join('')}`;
    const body = [...rows()].map(([row, listed]) =>
      line(
        row,
        calls.map((call) => (listed.includes(call) ? String(this.#met.get(`${row}/${call}`) ?? 'HOLE') : '-')),
      ),
    );
    const others = happenings.map((what) => line(what, [String(this.#happened.get(what) ?? 'HOLE')]));
    return [line('fault', calls), ...body, '', line('beside the calls', ['times']), ...others].join('\n');
  }
}

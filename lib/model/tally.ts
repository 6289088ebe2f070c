/** How many there are of each name: a count is changed where it stands, in every event of a replay. */
export class Tally<Name extends string> {
  readonly #counts = new Map<Name, { count: number }>();

  constructor(entries: readonly (readonly [Name, number])[] = []) {
    for (const [name, count] of entries) this.add(name, count);
  }

  of(name: Name): number {
    return this.#counts.get(name)?.count ?? 0;
  }

  add(name: Name, more: number): void {
    const held = this.#counts.get(name);
    if (held === undefined) this.#counts.set(name, { count: more });
    else held.count += more;
  }

  /** Those of which there are some, by name. */
  entries(): [Name, number][] {
    const some = [...this.#counts].filter(([, { count }]) => count > 0);
    return some
      .map(([name, { count }]): [Name, number] => [name, count])
      .sort(([one], [other]) => (one < other ? -1 : 1));
  }
}

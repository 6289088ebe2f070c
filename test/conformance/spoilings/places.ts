/**
 * Places in the JSON of an answer. A path names members with dots between them; behind a list stands which of its items
 * are meant: `jobs[]` each, `jobs[one]` always the same one, `events[claimed]` those of the type `job.claimed`. `*` is each
 * member of an object.
 */

export interface Place {
  readonly holder: Record<string, unknown> | unknown[];
  readonly key: string | number;
}

/** Finds places again, in answer after answer: `[one]` stays with the item that it met first. */
export class Places {
  readonly #steps: readonly Step[];
  #chosen: string | undefined;

  constructor(path: string) {
    this.#steps = path.split('.').flatMap(stepsOf);
  }

  in(body: unknown): Place[] {
    return this.#below(body, 0);
  }

  #below(value: unknown, depth: number): Place[] {
    const step = this.#steps[depth];
    if (step === undefined || typeof value !== 'object' || value === null) return [];
    const isLast = depth === this.#steps.length - 1;
    const found: Place[] = [];
    for (const key of keysOf(value, step)) {
      const holder = value as Record<string | number, unknown>;
      const inner = isLast ? [{ holder: holder as Place['holder'], key }] : this.#below(holder[key], depth + 1);
      if (step.of !== 'items' || step.which !== 'one') found.push(...inner);
      else if (inner.length > 0 && this.#isChosen(holder[key])) return inner;
    }
    return found;
  }

  #isChosen(item: unknown): boolean {
    const name = identityOf(item);
    this.#chosen ??= name;
    return name === this.#chosen;
  }
}

type Step = { readonly of: 'member'; readonly name: string } | { readonly of: 'items'; readonly which: string };

function stepsOf(word: string): Step[] {
  const [, name = word, which] = /^(.*)\[(\w*)\]$/.exec(word) ?? [];
  const member: Step = { of: 'member', name };
  return which === undefined ? [member] : [member, { of: 'items', which }];
}

function keysOf(value: object, step: Step): (string | number)[] {
  if (step.of === 'member') {
    if (Array.isArray(value)) return [];
    return step.name === '*' ? Object.keys(value) : Object.keys(value).filter((name) => name === step.name);
  }
  if (!Array.isArray(value)) return [];
  const all = [...value.keys()];
  if (step.which === '' || step.which === 'one') return all;
  return all.filter((index) => (value[index] as { event_type?: unknown })?.event_type === `job.${step.which}`);
}

function identityOf(item: unknown): string {
  const { event_id, resource_id, job_id } = (item ?? {}) as Record<string, unknown>;
  return JSON.stringify(event_id ?? resource_id ?? job_id ?? item);
}

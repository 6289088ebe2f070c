/** What strace wrote of a process and its children: calls in the order of their ends. */

export interface SystemCall {
  readonly name: string;
  /** As it stands in the trace; the pieces of a call that another one interrupted are put together. */
  readonly text: string;
  /** Of the files that it names, as descriptors (`-y`) or as texts. */
  readonly paths: readonly string[];
}

const LINE = /^(?:(\d+) +)?(.*)$/;
const UNFINISHED = / <unfinished \.\.\.>$/;
const RESUMED = /^<\.\.\. \w+ resumed>/;

/** @param trace the text of `strace -f -y` */
export function systemCalls(trace: string): SystemCall[] {
  const open = new Map<string, string>();
  const found: SystemCall[] = [];
  for (const line of trace.split('\n')) {
    const [, thread = '', text = ''] = LINE.exec(line) ?? [];
    if (UNFINISHED.test(text)) {
      open.set(thread, text.replace(UNFINISHED, ''));
      continue;
    }
    const whole = RESUMED.test(text) ? (open.get(thread) ?? '') + text.replace(RESUMED, '') : text;
    const name = /^(\w+)\(/.exec(whole)?.[1];
    if (name === undefined) continue;
    const paths = [...whole.matchAll(/\d<(\/[^<>]*)>|"(\/[^"]*)"/g)].map(([, file, quoted]) => file ?? quoted ?? '');
    found.push({ name, text: whole, paths });
  }
  return found;
}

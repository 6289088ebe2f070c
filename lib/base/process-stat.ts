/** One process as `/proc/<pid>/stat` tells it. Pure: who reads the file is told nothing here. */

export interface ProcessStat {
  readonly pid: number;
  /** One letter; `Z` and `X` are dead ones that nobody has collected yet. */
  readonly state: string;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  /** Clock ticks from the machine's start to the process's: field 22, as it stands. With the pid it names one process. */
  readonly started: string;
}

/**
 * The name of the program, field 2, may hold spaces and parentheses of its own: fields are counted from the last `)`.
 * @returns undefined for anything that is no such line
 */
export function parseProcessStat(text: string): ProcessStat | undefined {
  const open = text.indexOf('(');
  const close = text.lastIndexOf(')');
  if (open < 1 || close < open) return undefined;
  const fields = text.slice(close + 2).split(' ');
  const [state, parent, group, session] = fields;
  const started = fields[19];
  const pid = Number(text.slice(0, open));
  if (state === undefined || started === undefined || !/^\d+$/.test(started) || !Number.isInteger(pid))
    return undefined;
  return { pid, state, parent: Number(parent), group: Number(group), session: Number(session), started };
}

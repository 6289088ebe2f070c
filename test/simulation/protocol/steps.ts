/** The table of steps: what a process may do next, by where it stands. */
import { claim, count, fence, list, look, read, start } from './becoming.js';
import { create, earlyCut, syncHead } from './opening.js';
import { renew, serve, tidy } from './serving.js';
import type { Step } from './state.js';
import type { Successor, Turn } from './turn.js';
import { check, earlyCheck, sync, write } from './writing.js';

export const steps: Readonly<Record<Step, (turn: Turn) => Successor[]>> = {
  off: start,
  look,
  count,
  fence,
  claim,
  list,
  read,
  earlyCut,
  syncHead,
  create,
  write,
  sync,
  earlyCheck,
  check,
  tidy,
  idle: serve,
  renew,
  dead: () => [],
};

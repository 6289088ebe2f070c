/**
 * A daemon that makes one mistake, as a process: `mistaken-daemon.js run …` takes the arguments of `agentopsd run`. The
 * variable AGENTOPSD_MISTAKE names the check that has to see the mistake; without it there is none. Each time that the
 * mistake changes something, a letter is added to the file that AGENTOPSD_MISTAKE_MARKS names: so it is known that it was made.
 */
import { appendFileSync } from 'node:fs';
import { serveFronted } from './fronted-daemon.js';
import { allMistakes } from './mistakes/all.js';
import type { Mistaken } from './mistakes/mistake.js';

const { AGENTOPSD_MISTAKE: check = '', AGENTOPSD_MISTAKE_MARKS: marks } = process.env;
const mistake = allMistakes.find((each) => each.check === check);
if (check !== '' && mistake === undefined) throw new Error(`no mistake is there for ${check}`);
const preload = mistake?.preload === undefined ? [] : [new URL(mistake.preload, import.meta.url)];

await serveFronted({
  preload,
  async makeChanges(room) {
    const made = mistake === undefined ? {} : mistake.make(room);
    if (preload.length > 0) mark();
    try {
      await made.started?.();
    } catch (error) {
      mark();
      throw error;
    }
    return marked(made);
  },
});

function mark(): void {
  if (marks !== undefined) appendFileSync(marks, '.');
}

/** The same changes, each of which leaves its mark. */
function marked(mistaken: Mistaken): Mistaken {
  const { ask, answer } = mistaken;
  const noting = <T>(changed: T): T => {
    if (changed !== undefined) mark();
    return changed;
  };
  return {
    ...mistaken,
    ...(ask && { ask: async (asked, sender) => noting(await ask(asked, sender)) }),
    ...(answer && { answer: async (given, asked, sender) => noting(await answer(given, asked, sender)) }),
  } satisfies Mistaken;
}

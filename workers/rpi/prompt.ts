/** What an agent is told in each phase. Pure: the same run gives the same prompt. */

import { rpiLimits } from './limits.js';
import { LAST_PHASE, type Phase, type PhaseName, type RpiRequest } from './request.js';

export interface EarlierPhase {
  readonly name: PhaseName;
  readonly summary: string;
}

const work: Readonly<Record<PhaseName, string>> = {
  discovery: `Find out what reaching the goal takes. Read the code, the documents and the history that matter; run what shows how
things are now. Change no files in this phase. Settle what is to be changed and where, what could go wrong, and how one
will see that the goal is reached.`,
  implementation: `Reach the goal. Make the changes, with the tests that belong to them, and run the checks that the repository has.
Keep to its conventions, and to what the goal asks for. Neither commit nor push.`,
  validation: `See whether the goal is reached. Look at the changes as a reviewer who did not write them: read the difference, run
the checks, try what could break. Put right what is wrong and small; of what is not, say plainly that it is wrong.`,
};

const handOver: Readonly<Record<PhaseName, string>> = {
  discovery: 'a plan: what is to be done, step by step, in which files, and what to watch out for',
  implementation: 'what was changed and why, what was run and how it came out, and what is left',
  validation: 'what was looked at and run, how it came out, and whether the goal is reached',
};

/** @param packet the content of the execution packet; undefined when there is none */
export function phasePrompt(
  request: RpiRequest,
  phase: Phase,
  earlier: readonly EarlierPhase[],
  packet: string | undefined,
): string {
  const { goal, runId, validationCommands, workOrder } = request;
  const parts = [
    `You work unattended in the repository that you were started in: nobody answers questions, and no permission that you
lack will be given. This is phase ${phase.number} of ${LAST_PHASE} (${phase.name}) of run ${JSON.stringify(runId)}.`,
    section(
      'Goal',
      goal === '' ? `The ${packet === undefined ? 'work order' : 'execution packet'} below says it.` : goal,
    ),
    ...(packet === undefined ? [] : [section('Execution packet', packet)]),
    ...(workOrder === undefined
      ? []
      : [section('Work order', `The run carries it out, and keeps to the paths that it names:\n\n${workOrder}`)]),
    ...earlier.map(({ name, summary }) =>
      section(`Summary of the phase ${name}`, beginningOf(summary, rpiLimits.quotedSummaryCharacters)),
    ),
    section('This phase', work[phase.name]),
    ...(validationCommands.length === 0 || phase.name === 'discovery' ? [] : [checks(validationCommands)]),
    section(
      'At the end',
      `End with a summary in Markdown, as your last message: ${handOver[phase.name]}. It is all that ${
        phase.number === LAST_PHASE ? 'people read first' : 'the next phase learns of this one'
      }.`,
    ),
  ];
  return `${parts.join('\n\n')}\n`;
}

function section(title: string, text: string): string {
  return `# ${title}\n\n${text}`;
}

function checks(commands: readonly string[]): string {
  const list = commands.map((command) => `- ${JSON.stringify(command)}`).join('\n');
  return section('Checks', `After the last phase these commands are run, and their exit codes decide:\n\n${list}`);
}

/** Of a text that is too long the beginning, with a word that it was cut. */
export function beginningOf(text: string, characters: number): string {
  return text.length <= characters ? text : `${text.slice(0, characters).toWellFormed()}\n\n[cut here]`;
}

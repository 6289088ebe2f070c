/**
 * A command on its way to a daemon and back. Each acknowledgement is held against what is on the disk at that very
 * moment, and kept by the witness; each refusal has to be one that there may be.
 */
import { AgentopsdError } from '../../lib/base/errors.js';
import type { Command, Outcome } from '../../lib/model/command.js';
import { survivingLedgerFiles } from './places.js';
import type { SimulatedProcess } from './process.js';
import type { World } from './world.js';

const EXPECTED_REFUSALS = new Set([
  'stale_lease',
  'unknown_job',
  'job_not_claimable',
  'outcome_unknown',
  'writer_stopped',
]);

export class Asking {
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  /** @param once what it asks for, where nobody ever asks for the same again */
  execute(process: SimulatedProcess, command: Command, acknowledged: (outcome: Outcome) => void, once?: string): void {
    const world = this.#world;
    const vanishes = world.dice.maybe(0.1);
    if (vanishes) world.happens('client vanished');
    world.note(`${process.name} ${command.kind} ${'job_id' in command ? command.job_id : ''}`);
    process.unanswered += 1;
    process.kernel?.execute(command).then(
      (outcome) => {
        process.unanswered -= 1;
        if (process.isOver) return;
        if (!vanishes) acknowledged(outcome);
        if (outcome.appended > 0 && world.tampered?.what === process.ledger?.segment.name)
          world.violated(`${command.kind} was acknowledged although its segment was taken away or changed`);
        if (process.stopped !== undefined && outcome.appended > 0)
          world.violated(`${command.kind} was acknowledged after the writer had stopped: ${process.stopped}`);
      },
      (error: unknown) => {
        process.unanswered -= 1;
        if (process.isOver) return;
        if (!(error instanceof AgentopsdError) || !EXPECTED_REFUSALS.has(error.code))
          world.violated(`${command.kind} failed: ${error instanceof Error ? error.stack : String(error)}`);
        else if (error.code === 'outcome_unknown' || error.code === 'writer_stopped') this.#judgeHalted(process);
        // "Nothing was written" is a promise too.
        if (once !== undefined && codeOf(error) === 'writer_stopped') world.witness.denies(once);
      },
    );
  }

  /** Who turns a caller away because nothing is written has to say so to everybody. */
  #judgeHalted(process: SimulatedProcess): void {
    const { writable, reasons } = process.kernel?.health() ?? { writable: false, reasons: ['it never opened'] };
    if (process.phase === 'serving' && (writable || reasons.length === 0))
      this.#world.violated(`${process.name} turns callers away, and tells that it ${writable ? 'writes' : 'does not'}`);
  }

  acknowledged(process: SimulatedProcess, one: string, ...words: readonly string[]): void {
    this.#world.note(`${process.name} acknowledges ${one}`);
    this.#world.witness.acknowledges(one);
    const name = process.ledger?.segment.name;
    if (name !== process.segmentName) this.#world.happens('segment ended');
    process.segmentName = name;
    this.requireDurable(`${one} was acknowledged`, ...words);
  }

  /** At the moment of an answer the line stands where a loss of power does not take it away. */
  requireDurable(what: string, ...words: readonly string[]): void {
    const world = this.#world;
    if (world.tampered !== undefined) return;
    for (const content of survivingLedgerFiles(world.disk)) if (holdsLine(content, words)) return;
    world.violated(`${what} before it was on the disk`);
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof AgentopsdError ? error.code : undefined;
}

/** Whether one whole line holds all the words. */
function holdsLine(content: Buffer, words: readonly string[]): boolean {
  const [first = '', ...others] = words;
  for (let at = content.indexOf(first); at >= 0; at = content.indexOf(first, at + 1)) {
    const from = content.lastIndexOf(0x0a, at) + 1;
    const to = content.indexOf(0x0a, at);
    if (to >= 0 && others.every((word) => content.subarray(from, to).includes(word))) return true;
  }
  return false;
}

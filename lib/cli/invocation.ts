/** What a verb works with: its arguments, the place it works in, and where its answer goes. */
import type { Flags } from './flags.js';
import type { Place } from './place.js';
import type { Printer } from './printer.js';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Invocation {
  readonly operands: readonly string[];
  readonly flags: Flags;
  readonly place: Place;
  readonly printer: Printer;
  readonly environment: Environment;
}

/** Does the work of a verb and answers the exit code. @throws AgentopsdError */
export type Perform = (invocation: Invocation) => Promise<number>;

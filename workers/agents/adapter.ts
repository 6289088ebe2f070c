/**
 * What one agent CLI is like: how it is called, and what its transcript means. Another CLI is one more file with one of
 * these, and a line in `registry.ts`; everything else is shared.
 *
 * A transcript is a stream of lines, each one JSON object. Only members are looked at, never how a line begins or in
 * what order its members come: both changed between versions. A line that is none, or that says nothing known, is kept
 * in the transcript and passed over.
 */
import type { JsonObject } from '../../lib/base/json.js';
import type { Variables } from '../process/environment.js';
import type { AgentDenial, AgentRequest, AgentUsage } from './agent.js';

export interface AgentAdapter {
  readonly name: string;
  /** The command to start: the configured one, with what this CLI needs where the configuration does not say it. */
  plan(command: readonly string[], access: AgentRequest['access']): readonly string[];
  /** Prints the version, where the transcript does not tell it. */
  versionCommand?(command: readonly string[]): readonly string[];
  /**
   * A reader for the transcript of one run that begins now.
   * @param variables that the CLI gets
   */
  read(variables: Variables): TranscriptReader;
}

export interface TranscriptReader {
  /** One line of the transcript. */
  take(event: JsonObject): Heard;
  /** One line of the standard error. */
  takeError?(line: string): void;
  /** Looks at what the CLI tells elsewhere. Called now and then; bounded, never throws. */
  look?(): void;
  /** What is known so far. */
  told(): Told;
}

/** What a line says of how the run goes. */
export interface Heard {
  /** For people who follow the run. */
  readonly text?: string;
  /** The CLI says nothing but that it does not reach its model. */
  readonly unreachable?: boolean;
}

export interface Told {
  readonly session_id?: string;
  readonly cli_version?: string;
  readonly model?: string;
  readonly usage?: AgentUsage;
  /** Whether `usage` is of the whole thread, earlier runs that this one goes on with included. */
  readonly usageIsOfThread?: boolean;
  /** What the thread had used before this run, where the CLI tells that. */
  readonly usageBefore?: AgentUsage;
  readonly cost_usd?: number;
  readonly turns?: number;
  /** '' while there is none. */
  readonly answer: string;
  readonly denials: readonly AgentDenial[];
  /** Refused tools that are not listed there. */
  readonly moreDenials?: number;
  /** The final event, once it came. */
  readonly end?: RunEnd;
  /** The last thing that went wrong, final or not. */
  readonly trouble?: string;
}

export interface RunEnd {
  /** What the final event says went wrong; undefined when it says success. */
  readonly error?: string;
  /** Whether the model could not be reached, or could not answer. */
  readonly unreachable?: boolean;
}

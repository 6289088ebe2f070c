/**
 * An agent as the built-in workers see it: a prompt goes in, and a verdict with all that is known of the run comes out.
 * Which CLI it is, how it is called and what its transcript looks like stays behind this.
 */
import type { JsonObject } from '../../lib/base/json.js';
import type { Failure } from '../../lib/model/event.js';

export interface AgentRequest {
  /** Goes to the agent's standard input and into prompt.md. */
  readonly prompt: string;
  /** Absolute folder the agent works in; default: the root. */
  readonly cwd?: string;
  /** What it may do there: read alone, or change files and run tools. */
  readonly access: 'read' | 'write';
  /** Absolute folder for prompt.md, transcript.jsonl, stderr.log, result.json; default: `<runDir>/artifacts`. */
  readonly folder?: string;
  /** Prefix of the artifacts' names, such as `phase-1/`. */
  readonly artifactPrefix?: string;
  /** Wall clock limit; default, and at most, what the configuration says. */
  readonly timeoutMs?: number;
  /** Called with what the agent says and does, in short, as it comes. */
  readonly onText?: (text: string) => void;
}

/** What a run used, as far as its CLI tells: of this run alone, never of a whole thread that it went on with. */
export interface AgentUsage {
  readonly input_tokens: number;
  readonly output_tokens: number;
  /** Of `input_tokens` where the CLI counts them so, else beside them. */
  readonly cached_input_tokens?: number;
  readonly cache_creation_input_tokens?: number;
  readonly reasoning_output_tokens?: number;
}

/** A tool that the agent wanted to use and was not allowed to. */
export interface AgentDenial {
  readonly tool: string;
  readonly input?: JsonObject;
}

export interface AgentRun {
  readonly verdict: 'succeeded' | 'failed';
  /** Why, in words; always there. */
  readonly why: string;
  /** The failure that a job failing because of it should have; absent when it succeeded. */
  readonly failure?: Failure;
  /** The last text that the agent said; '' when there is none. */
  readonly answer: string;
  readonly session_id?: string;
  readonly cli_version?: string;
  readonly model?: string;
  readonly usage?: AgentUsage;
  /** In US dollars, where the CLI tells. */
  readonly cost_usd?: number;
  readonly denials: readonly AgentDenial[];
  readonly turns?: number;
  /** What the limits of `agent-limits.ts` kept out; absent when nothing was. */
  readonly left_out?: {
    /** At the end of the answer. */
    readonly answer_characters?: number;
    /** Refused tools beyond those that are listed. */
    readonly denials?: number;
    /** Listed refused tools whose input was too long. */
    readonly denial_inputs?: number;
  };
}

export interface Agent {
  readonly name: string;
  /** Never rejects for what the CLI does; rejects only when the attempt is to stop. */
  run(request: AgentRequest): Promise<AgentRun>;
}

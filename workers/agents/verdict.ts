/**
 * Whether a run of an agent CLI has succeeded. Pure.
 *
 * Success is exit code 0, without a signal, without a stop that we asked for, with a final event that tells of no error,
 * and with no tool refused. Everything else failed, whatever the CLI calls it: an exit code of 0 alone says nothing (one
 * that is interrupted while it waits for its model has it too), and nor does the word `success`.
 */
import type { Failure, FailureCode } from '../../lib/model/event.js';
import type { SpawnResult } from '../context.js';
import type { Told } from './adapter.js';
import { agentLimits } from './agent-limits.js';
import { brief } from './members.js';

/** Why we ended a run, beside its two configured times. */
export type Ended = 'unreachable' | 'lingering';

export interface RunFacts {
  /** The agent's name, for the message. */
  readonly name: string;
  readonly end: SpawnResult;
  readonly told: Told;
  /** Set when we ended it for this. */
  readonly ended: Ended | undefined;
  /** Lines of the transcript that are JSON objects. */
  readonly events: number;
  /** The last words of the standard error. */
  readonly lastWords: string;
  readonly timeoutMs: number;
  readonly idleMs: number;
  readonly unreachableMs: number;
  readonly lingerMs: number;
}

export interface Verdict {
  readonly verdict: 'succeeded' | 'failed';
  readonly why: string;
  readonly failure?: Failure;
}

export function judge(facts: RunFacts): Verdict {
  const found = stoppedByUs(facts) ?? withoutEnd(facts) ?? badEnd(facts) ?? refusedTools(facts);
  if (found === undefined) return { verdict: 'succeeded', why: `${facts.name} ended well` };
  const [code, why, retryable = false] = found;
  return { verdict: 'failed', why, failure: { code, message: why, retryable } };
}

type Found = readonly [code: FailureCode, why: string, retryable?: boolean];

function stoppedByUs({
  name,
  end,
  ended,
  told,
  timeoutMs,
  idleMs,
  unreachableMs,
  lingerMs,
}: RunFacts): Found | undefined {
  const seconds = (ms: number) => `${ms / 1000} s`;
  if (end.stopped === undefined) return undefined;
  if (end.stopped === 'aborted') return ['lost', `${name} was stopped with its job`];
  if (end.stopped === 'timeout') {
    return [
      'request_rejected',
      `${name} ran longer than its timeout_seconds and was ended after ${seconds(timeoutMs)}`,
    ];
  }
  if (ended === 'lingering') {
    const seenEnd = `${name} told its end, but its process stayed`;
    return ['request_rejected', `${seenEnd} and was ended ${seconds(lingerMs)} later`];
  }
  if (ended === 'unreachable') {
    const why = `${name} did not reach its model for ${seconds(unreachableMs)} and was ended`;
    return ['provider_unreachable', withTrouble(why, told.trouble), true];
  }
  return [
    'request_rejected',
    `${name} printed nothing for its idle_seconds and was ended after ${seconds(idleMs)} of silence`,
  ];
}

function withoutEnd({ name, end, told, events, lastWords }: RunFacts): Found | undefined {
  if (told.end !== undefined) return undefined;
  const how = howItEnded(end);
  if (events === 0) {
    return ['terminal_without_transcript', withTrouble(`${name} ${how} without a transcript`, lastWords)];
  }
  return ['event_stream_unavailable', withTrouble(`${name} ${how} before its final event`, told.trouble ?? lastWords)];
}

function badEnd({ name, end, told, lastWords }: RunFacts): Found | undefined {
  const { error, unreachable = false } = told.end ?? {};
  if (error !== undefined) {
    const code = unreachable ? 'provider_unreachable' : 'request_rejected';
    return [code, withTrouble(`${name} failed`, error), unreachable];
  }
  if (end.exitCode === 0 && end.signal === undefined) return undefined;
  return ['request_rejected', withTrouble(`${name} told a good end, but ${howItEnded(end)}`, lastWords)];
}

function refusedTools({ name, told }: RunFacts): Found | undefined {
  if (told.denials.length === 0) return undefined;
  const tools = [...new Set(told.denials.map(({ tool }) => tool))].join(', ');
  return [
    'request_rejected',
    `${name} was refused tools that it wanted to use: ${brief(tools, agentLimits.troubleCharacters)}`,
  ];
}

function howItEnded({ exitCode, signal }: SpawnResult): string {
  return signal === undefined ? `ended with exit code ${exitCode}` : `was ended by the signal ${signal}`;
}

function withTrouble(why: string, trouble: string | undefined): string {
  const words = brief(trouble ?? '', agentLimits.troubleCharacters);
  return words === '' ? why : `${why}: ${words}`;
}

/**
 * What a thread asks of the main thread, and its answers: each question has a number, its answer the same one. A question
 * that is open when the attempt is to stop is not waited for any more.
 */
import type { ToMain, WorkerAnswer } from '../../lib/model/worker-protocol.js';
import { failure } from '../failure.js';

type AnswerKind = Exclude<WorkerAnswer['kind'], 'refused'>;
type AnswerOf<Kind extends AnswerKind> = Extract<WorkerAnswer, { readonly kind: Kind }>;

export interface Questions {
  /**
   * @param made the message that asks, with the number given
   * @throws JobFailure with what the main thread refused; the signal's reason when the attempt is to stop
   */
  ask<Kind extends AnswerKind>(kind: Kind, made: (ask: number) => ToMain): Promise<AnswerOf<Kind>>;
  answered(answer: WorkerAnswer): void;
}

/** @param stopping its signal aborts when the attempt is to stop */
export function createQuestions(
  post: (message: ToMain) => void,
  stopping: { readonly signal: AbortSignal },
): Questions {
  const waiting = new Map<number, (answer: WorkerAnswer) => void>();
  let asked = 0;
  return {
    async ask(kind, made) {
      const { signal } = stopping;
      signal.throwIfAborted();
      const ask = ++asked;
      const answer = await new Promise<WorkerAnswer>((resolve, reject) => {
        const stop = () => reject(signal.reason as Error);
        signal.addEventListener('abort', stop, { once: true });
        waiting.set(ask, (told) => {
          signal.removeEventListener('abort', stop);
          resolve(told);
        });
        post(made(ask));
      }).finally(() => waiting.delete(ask));
      if (answer.kind === 'refused') {
        const { code, message, retryable } = answer.failure;
        throw failure(code, message ?? code, retryable);
      }
      if (answer.kind !== kind) throw new Error(`invariant broken: ${answer.kind} answers no ${kind}`);
      return answer as AnswerOf<typeof kind>;
    },
    answered(answer) {
      waiting.get(answer.ask)?.(answer);
    },
  };
}

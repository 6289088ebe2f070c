/**
 * Writes a long answer piece by piece, never faster than its reader takes it: so memory stays flat, and a reader that
 * takes nothing for `limits.httpSlowReaderMs` is dropped without anyone else noticing.
 */
import type { ServerResponse } from 'node:http';
import { limits } from '../base/limits.js';
import type { Exchange, HttpService } from './exchange.js';

export interface Outflow {
  /** Hands text to the socket; answers false when the reader is gone, and then nothing more should be made. */
  write(text: string | Buffer): Promise<boolean>;
  /** Ends the answer. */
  end(): void;
  /** Breaks the connection off: the reader must see that the answer is not whole. */
  breakOff(): void;
}

export function outflowOf({ response }: Exchange, { dependencies, activity }: HttpService): Outflow {
  const drop = (): void => {
    activity.slowReadersDropped++;
    response.destroy();
  };
  return {
    write: async (text) => {
      if (response.destroyed || response.writableEnded) return false;
      if (response.write(text)) return true;
      const cancel = dependencies.clock.after(limits.httpSlowReaderMs, drop);
      const flows = await taken(response);
      cancel();
      return flows;
    },
    end: () => void response.end(),
    breakOff: () => void response.destroy(),
  };
}

/** Resolves when the reader took what was waiting (true), or is gone (false). */
function taken(response: ServerResponse): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (flows: boolean): void => {
      response.off('drain', onDrain).off('close', onClose);
      resolve(flows);
    };
    const onDrain = (): void => settle(true);
    const onClose = (): void => settle(false);
    if (response.destroyed) return resolve(false);
    response.on('drain', onDrain).on('close', onClose);
  });
}

/** Joins small texts into pieces of about `limits.httpPieceBytes`. An empty text is a pause and comes out as one. */
export function* inPieces(texts: Iterable<string>): Generator<string> {
  let piece = '';
  for (const text of texts) {
    piece += text;
    if (text === '') yield '';
    if (piece.length < limits.httpPieceBytes) continue;
    yield piece;
    piece = '';
  }
  if (piece !== '') yield piece;
}

/**
 * Reads a request's body under its limit. Called only after the caller was authorized: what an unknown caller sends is
 * never looked at.
 */
import type { IncomingMessage } from 'node:http';
import { AgentopsdError } from '../base/errors.js';
import { limits } from '../base/limits.js';
import type { Exchange, HttpService } from './exchange.js';

/**
 * A body that came together with its head, as nearly all do, is handed over at once: listening to its pieces would cost
 * more than the rest of the request.
 * @returns the bytes; empty when there is no body
 * @throws AgentopsdError `unsupported_media_type`, `body_too_large`, `overloaded`, or `invalid_request` when the sender
 *   breaks off
 */
export function readBody(exchange: Exchange, { intake }: HttpService): Buffer | Promise<Buffer> {
  const { request, response } = exchange;
  checkMediaType(request);
  if (Number(request.headers['content-length'] ?? 0) > limits.requestBodyBytes) throw tooLarge();
  const { expect } = request.headers;
  if (expect !== undefined && /100-continue/i.test(expect)) response.writeContinue();
  if (request.destroyed) throw brokenOff();
  const hold = (bytes: number): void => intake.hold(exchange, bytes);
  return request.complete ? takeWhole(request, hold) : collect(request, hold);
}

export function hasBody(request: IncomingMessage): boolean {
  return request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0;
}

function checkMediaType({ headers }: IncomingMessage): void {
  const given = headers['content-type'];
  if (given !== undefined && given !== 'application/json') {
    const type = given.split(';')[0]?.trim().toLowerCase() ?? '';
    if (type !== '' && type !== 'application/json') {
      throw new AgentopsdError(
        'unsupported_media_type',
        `the body's type is not taken; send it with Content-Type: application/json`,
      );
    }
  }
  const encoding = headers['content-encoding']?.trim().toLowerCase() ?? '';
  if (encoding !== '' && encoding !== 'identity') {
    throw new AgentopsdError(
      'unsupported_media_type',
      'a compressed body is not taken; send it without Content-Encoding',
    );
  }
}

const NO_BYTES = Buffer.alloc(0);

/** Everything has come: what the request holds is its whole body. */
function takeWhole(request: IncomingMessage, hold: (bytes: number) => void): Buffer {
  const bytes: Buffer = request.read() ?? NO_BYTES;
  if (bytes.length > limits.requestBodyBytes) throw tooLarge();
  hold(bytes.length);
  return bytes;
}

/** @param hold told each piece; what it throws ends the reading */
function collect(request: IncomingMessage, hold: (bytes: number) => void): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = [];
    let size = 0;
    const onData = (piece: Buffer): void => {
      size += piece.length;
      pieces.push(piece);
      if (size > limits.requestBodyBytes) {
        finish(() => reject(tooLarge()));
        return;
      }
      try {
        hold(piece.length);
      } catch (error) {
        finish(() => reject(error as Error));
      }
    };
    const onEnd = (): void =>
      finish(() => resolve(pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces)));
    const onBroken = (): void => finish(() => reject(brokenOff()));
    const finish = (settle: () => void): void => {
      request.off('data', onData).off('end', onEnd).off('close', onBroken).off('error', onBroken);
      request.on('error', ignore);
      settle();
    };
    request.on('data', onData).on('end', onEnd).on('close', onBroken).on('error', onBroken);
  });
}

/** A sender that breaks off after the answer is its own affair. */
function ignore(): void {}

function brokenOff(): AgentopsdError {
  return new AgentopsdError('invalid_request', 'the body broke off');
}

function tooLarge(): AgentopsdError {
  return new AgentopsdError('body_too_large', `the body is larger than ${limits.requestBodyBytes} bytes`, {
    details: { max_bytes: limits.requestBodyBytes },
  });
}

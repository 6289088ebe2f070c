/**
 * Reads a request's body under its limit. Called only after the caller was authorized: what an unknown caller sends is
 * never looked at.
 */
import type { IncomingMessage } from 'node:http';
import { AgentopsdError } from '../base/errors.js';
import { limits } from '../base/limits.js';
import type { Exchange, HttpService } from './exchange.js';

/**
 * @returns the bytes; empty when there is no body
 * @throws AgentopsdError `unsupported_media_type`, `body_too_large`, `overloaded`, or `invalid_request` when the sender
 *   breaks off
 */
export async function readBody(exchange: Exchange, { intake }: HttpService): Promise<Buffer> {
  const { request, response } = exchange;
  checkMediaType(request);
  if (Number(request.headers['content-length'] ?? 0) > limits.requestBodyBytes) throw tooLarge();
  if (/100-continue/i.test(request.headers.expect ?? '')) response.writeContinue();
  return await collect(request, limits.requestBodyBytes, (bytes) => {
    exchange.heldBytes += bytes;
    intake.hold(bytes);
  });
}

export function hasBody(request: IncomingMessage): boolean {
  return request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0;
}

function checkMediaType(request: IncomingMessage): void {
  const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase() ?? '';
  if (type !== '' && type !== 'application/json') {
    throw new AgentopsdError(
      'unsupported_media_type',
      `the body's type is not taken; send it with Content-Type: application/json`,
    );
  }
  const encoding = request.headers['content-encoding']?.trim().toLowerCase() ?? '';
  if (encoding !== '' && encoding !== 'identity') {
    throw new AgentopsdError(
      'unsupported_media_type',
      'a compressed body is not taken; send it without Content-Encoding',
    );
  }
}

/** @param hold told each piece; what it throws ends the reading */
function collect(request: IncomingMessage, maxBytes: number, hold: (bytes: number) => void): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    if (request.destroyed) return reject(brokenOff());
    const pieces: Buffer[] = [];
    let size = 0;
    const onData = (piece: Buffer): void => {
      size += piece.length;
      pieces.push(piece);
      if (size > maxBytes) {
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

import type { IncomingMessage, ServerResponse } from 'node:http';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Exchange } from '../../lib/http/exchange.js';
import { Intake } from '../../lib/http/intake.js';
import { createNodeClock } from '../../lib/storage/node-clock.js';
import { mostPromotedMb } from '../support/promoted.js';

const intake = suite('intake');

intake('a request that was answered is gone without a full collection', () => {
  const taken = new Intake({ waitingMs: () => 0 }, createNodeClock());
  const never = new Promise<never>(() => undefined);
  const waiting: Exchange[] = [];
  const mostMb = mostPromotedMb((value, round) => {
    const exchange = new Exchange(value as IncomingMessage, {} as ServerResponse, '', {});
    taken.hold(exchange, 10);
    void taken.inTime(exchange, round < 16 ? never : Promise.resolve());
    waiting.push(exchange);
    if (round >= 16) taken.release(waiting.shift() as Exchange);
  });
  assert.ok(mostMb < 8, `${mostMb} MB of 160 were kept`);
  assert.is(taken.heldBytes, 160, 'of the sixteen that wait');
});

intake.run();

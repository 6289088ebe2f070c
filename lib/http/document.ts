/** `GET /spec/jobspec/v0/openapi.yaml`: the contract itself, as this daemon keeps it. */
import { loadContract } from '../engine/schemas.js';
import { sendText } from './answers.js';
import type { Handler } from './exchange.js';

export const document: Handler = (exchange) => {
  sendText(exchange, 200, 'application/yaml', loadContract().text);
};

/** The baseline of the HTTP rows: polka with one route that reads a body, parses it and answers JSON. Tells its port. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import polka from 'polka';

const server = createServer({ keepAliveTimeout: 60_000 });
const app = polka({ server });
app.post('/v1/jobs', (request: IncomingMessage, response: ServerResponse) => {
  const pieces: Buffer[] = [];
  request.on('data', (piece: Buffer) => pieces.push(piece));
  request.on('end', () => {
    const { request_id, idempotency_key } = JSON.parse(Buffer.concat(pieces).toString('utf8')) as Record<
      string,
      string
    >;
    const text = JSON.stringify({ accepted: true, request_id, idempotency_key, status: 'queued' });
    response.writeHead(202, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) });
    response.end(text);
  });
});
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
server.on('request', app.handler);
process.on('disconnect', () => process.exit());

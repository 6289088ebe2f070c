/**
 * The baselines of the HTTP rows: polka with one route that reads a body, parses it and answers JSON. With a file's path
 * in `argv[2]`, a line for each request is made durable there before its answer, all that wait together: the least that a
 * durable accept can be in this runtime, over one thread. Tells its port.
 */
import { fdatasync, openSync, writeSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import polka from 'polka';

const LINE = 'x'.repeat(512);

const path = process.argv[2];
const durably = path === undefined ? (done: () => void) => done() : groupCommit(openSync(path, 'a'));

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
    durably(() => {
      response.writeHead(202, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) });
      response.end(text);
    });
  });
});
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
server.on('request', app.handler);
process.on('disconnect', () => process.exit());

/** One sync at a time; who comes meanwhile waits for the next. */
function groupCommit(file: number): (done: () => void) => void {
  let waiting: (() => void)[] = [];
  let isBusy = false;
  const commit = (): void => {
    const taken = waiting;
    waiting = [];
    writeSync(file, LINE.repeat(taken.length));
    fdatasync(file, (error) => {
      if (error !== null) throw error;
      for (const done of taken) done();
      isBusy = waiting.length > 0;
      if (isBusy) commit();
    });
  };
  return (done) => {
    waiting.push(done);
    if (isBusy) return;
    isBusy = true;
    queueMicrotask(commit);
  };
}

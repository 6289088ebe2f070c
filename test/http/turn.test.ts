/** What comes together is handled together: one batch, and each its own answer. */
import { promises as fs } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Kernel } from '../../lib/engine/kernel.js';
import { createNodeClock } from '../../lib/storage/node-clock.js';
import { createNodeDisk } from '../../lib/storage/node-disk.js';
import { serve, TOKEN } from '../support/http-kernel.js';
import { makeLedgerPlace, openAs } from '../support/ledger-place.js';

const test = suite('turn');
const REQUESTS = 5;
const DEADLINE_MS = 5000;

test('requests that arrive in one piece share one batch', async () => {
  const place = await makeLedgerPlace();
  const clock = createNodeClock();
  const kernel = new Kernel(clock);
  const { root, home } = place;
  const opened = await openAs({ disk: createNodeDisk(), clock, root, home, observer: kernel.observer });
  kernel.attach(opened.ledger);
  const served = await serve({ dependencies: { kernel, root } });
  try {
    const bodies = Array.from({ length: REQUESTS }, (_, at) => `{"job_type":"eval.suite","job_id":"job-${at}"}`);
    const answers = await answersTo(served.port, bodies);
    assert.equal(
      answers.map((text) => (JSON.parse(text) as { job_id: string }).job_id),
      bodies.map((text) => (JSON.parse(text) as { job_id: string }).job_id),
    );
    const segment = await fs.readFile(join(root, '.agents', 'daemon', 'ledger', opened.writer.segment), 'utf8');
    const lines = segment.trimEnd().split('\n').slice(1);
    const commits = lines.map((line) => (JSON.parse(line) as { commit?: { from: number } }).commit?.from);
    assert.equal(commits, [undefined, undefined, undefined, undefined, 1]);
  } finally {
    await served.close();
    await opened.ledger.close();
    await place.remove();
  }
});

/** The bodies of the answers to requests that are sent as one piece over one connection. */
function answersTo(port: number, bodies: readonly string[]): Promise<string[]> {
  const socket = connect(port, '127.0.0.1');
  const head = `POST /v1/jobs HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nX-AgentOps-Daemon-Token: ${TOKEN}\r\n`;
  return new Promise((resolve, reject) => {
    const deadline = setTimeout(() => reject(new Error('not answered in time')), DEADLINE_MS);
    let text = '';
    socket.on('error', reject).on('data', (piece) => {
      text += piece.toString('latin1');
      const answers = text.match(/\r\n\r\n\{.*?\}(?=HTTP|$)/gs) ?? [];
      if (answers.length < bodies.length) return;
      clearTimeout(deadline);
      socket.destroy();
      resolve(answers.map((answer) => answer.trim()));
    });
    socket.write(bodies.map((body) => `${head}Content-Length: ${body.length}\r\n\r\n${body}`).join(''));
  });
}

test.run();

/** The output of a job over HTTP: as it is, as it grows, and never a file that a link leads to. */
import { appendFileSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Served, serve } from '../support/http-kernel.js';

const test = suite<{ served: Served; root: string; log: (attempt: number) => string }>('run log');

test.before.each(async (context) => {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'agentopsd-')));
  const log = (attempt: number): string => join(root, '.agents', 'runs', 'a', `attempt-${attempt}`, 'output.log');
  const runLog = async (jobId: string, attempt?: number) =>
    jobId === 'a' ? log(attempt ?? Math.max(1, served.kernel.state.job('a')?.attempt ?? 0)) : undefined;
  const served = await serve({ dependencies: { root, runLog } });
  Object.assign(context, { served, root, log });
  for (const job_id of ['a', 'b']) await served.mutate('/v1/jobs', { job_id, job_type: 'rpi.run' });
});
test.after.each(async ({ served, root }) => {
  await served.close();
  rmSync(root, { recursive: true, force: true });
});

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  appendFileSync(path, text);
}

async function claim({ kernel, clock }: Served): Promise<void> {
  const occurredAt = new Date(clock.wallMs()).toISOString();
  const lease_expires_at = new Date(clock.wallMs() + 60_000).toISOString();
  await kernel.execute({
    kind: 'claim',
    actor: 'worker-1',
    occurredAt,
    job_id: 'a',
    claim_token: 't',
    lease_expires_at,
  });
}

test('the whole output, of the latest attempt or of one', async ({ served, log }) => {
  assert.is((await served.ask('GET', '/v1/jobs/a/log')).text, '');
  write(log(1), `first\n${'x'.repeat(200_000)}`);
  write(log(2), 'second ü\n');
  const answer = await served.ask('GET', '/v1/jobs/a/log');
  assert.is(answer.headers['content-type'], 'text/plain; charset=utf-8');
  assert.is(answer.text.length, 200_006);
  assert.is((await served.ask('GET', '/v1/jobs/a/log?attempt=2')).text, 'second ü\n');
  assert.is((await served.ask('GET', '/v1/jobs/b/log')).text, '');
  assert.is((await served.ask('GET', '/v1/jobs/nobody/log')).status, 404);
  for (const attempt of ['x', '0', '-1']) {
    assert.is((await served.ask('GET', `/v1/jobs/a/log?attempt=${attempt}`)).status, 400);
  }
  assert.is((await served.ask('GET', '/v1/jobs/a/log?follow=perhaps')).status, 400);
});

test('followed until the job has ended', async ({ served, log }) => {
  const seen: string[] = [];
  let wake = (): void => {};
  const until = async (text: string): Promise<void> => {
    while (!seen.join('').includes(text)) await new Promise<void>((resolve) => (wake = resolve));
  };
  const ended = new Promise<void>((resolve, reject) => {
    const request = httpRequest({
      port: served.port,
      host: '127.0.0.1',
      path: '/v1/jobs/a/log?follow=1',
      agent: false,
      signal: AbortSignal.timeout(10_000),
    });
    request.on('error', reject);
    request.on('response', (response) => {
      response.setEncoding('utf8');
      response.on('data', (piece: string) => {
        seen.push(piece);
        wake();
      });
      response.on('end', resolve);
    });
    request.end();
  });
  await claim(served);
  write(log(1), 'one\n');
  await until('one\n');
  write(log(1), 'two\n');
  await until('two\n');
  write(log(1), 'three\n');
  await served.mutate('/v1/jobs/a/cancel');
  await ended;
  assert.is(seen.join(''), 'one\ntwo\nthree\n');
});

test('a link is not followed, as a file or as a folder', async ({ served, root, log }) => {
  const secret = join(root, 'secret');
  writeFileSync(secret, 'secret');
  mkdirSync(dirname(log(1)), { recursive: true });
  symlinkSync(secret, log(1));
  const byFile = await served.ask('GET', '/v1/jobs/a/log');
  assert.is(byFile.status, 500);
  const elsewhere = join(root, 'elsewhere');
  mkdirSync(elsewhere);
  writeFileSync(join(elsewhere, 'output.log'), 'secret');
  symlinkSync(elsewhere, dirname(log(2)));
  const byFolder = await served.ask('GET', '/v1/jobs/a/log?attempt=2');
  assert.is(byFolder.status, 500);
  assert.not.match(byFile.text + byFolder.text, /secret/);
  assert.not.ok((byFile.text + byFolder.text).includes(root), 'an answer names no path of the host');
});

test.run();

import { promises as fs } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { DaemonFolder } from '../support/daemon.js';

const output = suite('output of running jobs');
let folder: DaemonFolder | undefined;
const OUTPUT_BYTES = 65_536;

async function make(configuration: string): Promise<DaemonFolder> {
  folder = await DaemonFolder.make(configuration);
  return folder;
}
output.after.each(async () => {
  await folder?.close();
  folder = undefined;
});

output(
  'a command that prints for ever never takes more of the disk than output_bytes, and ends when cancelled',
  async () => {
    const target = await make(
      `limits: { output_bytes: ${OUTPUT_BYTES} }\nqueue: { cancel_grace_seconds: 0.5 }\nexecutors:\n  eval.suite: { command: [sh, -c, "trap '' INT TERM; while :; do yes 0123456789 | head -c 1000000; done"] }\n`,
    );
    await target.startHere({ workers: 1 });
    const id = await target.submit('eval.suite');
    const log = target.path('.agents', 'runs', id, 'attempt-1', 'output.log');
    let largest = 0;
    let rewrites = 0;
    let before = 0;
    await target.until(
      async () => {
        const { size } = await fs.stat(log).catch(() => ({ size: 0 }));
        largest = Math.max(largest, size);
        if (size < before) rewrites++;
        before = size;
        return rewrites;
      },
      (count) => count >= 3,
      'the log is full and goes on',
    );
    assert.ok(largest <= OUTPUT_BYTES, `${largest} bytes`);
    const begun = performance.now();
    await target.post(`/v1/jobs/${id}/cancel`, {});
    assert.is((await target.job(id)).status, 'cancelled');
    await target.until(
      () => fs.readdir(target.path('.agents', 'daemon', 'leases')),
      (names) => names.length === 0,
      'the attempt is over',
    );
    assert.ok(performance.now() - begun < 5500, 'grace and five seconds');
    assert.ok((await fs.stat(log)).size <= OUTPUT_BYTES);
    assert.match(await fs.readFile(log, 'utf8'), /bytes left out here/);
  },
);

output('it can be followed while it runs', async () => {
  const target = await make(
    'executors:\n  eval.suite: { command: [sh, -c, "echo first; while ! [ -e go ]; do sleep 0.05; done; echo second"] }\n',
  );
  await target.startHere({ workers: 1 });
  const id = await target.submit('eval.suite');
  const response = await fetch(`${target.url}/v1/jobs/${id}/log?follow=1`);
  let text = '';
  let status = '';
  for await (const piece of response.body ?? []) {
    text += Buffer.from(piece as Uint8Array).toString('utf8');
    if (status !== '' || !text.includes('first\n')) continue;
    status = (await target.job(id)).status;
    await fs.writeFile(target.path('go'), '');
  }
  assert.is(status, 'running', 'its first line came while it ran');
  assert.is(text, 'first\nsecond\n');
});

output('who follows a log over its limit sees how it ends', async () => {
  const target = await make(
    `limits: { output_bytes: ${OUTPUT_BYTES} }\nexecutors:\n  eval.suite: { command: [sh, -c, "yes 0123456789 | head -c 64000; echo; while ! [ -e go ]; do sleep 0.05; done; yes abcdefghij | head -c 30000; sleep 0.7; echo the end; sleep 0.7"] }\n`,
  );
  await target.startHere({ workers: 1 });
  const id = await target.submit('eval.suite');
  const response = await fetch(`${target.url}/v1/jobs/${id}/log?follow=1`);
  let text = '';
  for await (const piece of response.body ?? []) {
    text += Buffer.from(piece as Uint8Array).toString('utf8');
    if (text.length > 60_000) await fs.writeFile(target.path('go'), '');
  }
  assert.ok(text.endsWith('the end\n'), text.slice(-100));
});

output.run();

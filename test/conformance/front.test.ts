/** The front passes on what never ends, piece by piece. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { DaemonFolder } from '../support/daemon.js';
import { type Front, startFront } from './front.js';

const test = suite('conformance, the front');
const DEADLINE_MS = 15_000;
let folder: DaemonFolder;
let front: Front;

test.before(async () => {
  folder = await DaemonFolder.make();
  await folder.startHere({ workers: 0 });
  front = await startFront(0, folder.url, {});
});
test.after(async () => {
  await front.close();
  await folder.close();
});

test('a stream of events comes while it goes on, and its end is the daemon’s too', async () => {
  const leave = new AbortController();
  const signal = AbortSignal.any([leave.signal, AbortSignal.timeout(DEADLINE_MS)]);
  const answer = await fetch(`${front.url}/v1/events`, { headers: { accept: 'text/event-stream' }, signal });
  assert.match(answer.headers.get('content-type') ?? '', /^text\/event-stream/);
  const jobId = await folder.submit('openclaw.snapshot');
  let text = '';
  for await (const piece of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += piece;
    if (text.includes(`evt_job.accepted_${jobId}`)) break;
  }
  assert.match(text, jobId);
  leave.abort();
  const ready = await fetch(`${front.url}/v1/ready`);
  assert.is(ready.status, 200);
});

test.run();

/** A stream of events across ends of the daemon, polite and not: no gap, no repeat, whatever was on its way. */
import { request as httpRequest } from 'node:http';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { DaemonFolder } from '../support/daemon.js';

const test = suite<{ folder: DaemonFolder }>('stream across restarts');
const EVENTS = 60;

test.before.each(async (context) => {
  context.folder = await DaemonFolder.make('workers: 0\n');
});
test.after.each(async ({ folder }) => {
  await folder.close();
});

/** Takes ids from a stream into `got` until the stream ends or `wanted` are there. */
function takeInto(got: string[], url: string, wanted: number): Promise<void> {
  return new Promise((resolve) => {
    const headers: Record<string, string> = { Accept: 'text/event-stream' };
    const last = got.at(-1);
    if (last !== undefined) headers['Last-Event-ID'] = last;
    const request = httpRequest(`${url}/v1/events`, { headers, agent: false });
    const finish = (): void => {
      request.destroy();
      resolve();
    };
    let text = '';
    request.on('error', finish);
    request.on('response', (response) => {
      response.setEncoding('utf8').on('data', (piece: string) => {
        text += piece;
        for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
          const id = /^id: (.*)$/m.exec(text.slice(0, end))?.[1];
          text = text.slice(end + 2);
          if (id !== undefined) got.push(id);
        }
        if (got.length >= wanted) finish();
      });
      response.on('close', finish).on('error', finish);
    });
    request.end();
  });
}

for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
  test(`${signal}, again and again (D5, E6)`, async ({ folder }) => {
    const got: string[] = [];
    let isReading = true;
    let running = await folder.startProcess();
    const reading = (async () => {
      while (isReading && got.length < EVENTS) {
        await takeInto(got, folder.url, EVENTS);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    })();
    const acknowledged: string[] = [];
    for (let at = 0; at < EVENTS; at++) {
      const job_id = `job_${at}`;
      const asked = folder.submit('eval.suite', {}, { job_id });
      if (at % 30 === 29) {
        running.process.kill(signal);
        await asked.catch(() => undefined);
        await running.exited;
        running = await folder.startProcess();
        await folder.submit('eval.suite', {}, { job_id });
      } else await asked;
      acknowledged.push(job_id);
    }
    const deadline = setTimeout(() => {
      isReading = false;
    }, 10_000);
    await reading;
    clearTimeout(deadline);
    const events = await folder.events();
    assert.equal(
      got,
      events.map(({ event_id }) => event_id),
    );
    assert.equal(
      events.map(({ job_id }) => job_id),
      acknowledged,
    );
  });
}

test.run();

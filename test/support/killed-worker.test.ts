/** The harness that kills workers has to see what a careless one does. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { killAtRandomPoints } from './killed-worker.js';

const test = suite('killed worker');
const careless = new URL('./fixtures/killed/careless.js', import.meta.url);
const ROUNDS = 30;

async function complains(way: string, wanted: RegExp): Promise<void> {
  process.env['CARELESS_WAY'] = way;
  try {
    await killAtRandomPoints(careless, { rounds: ROUNDS });
  } catch (error) {
    const { message } = error as Error;
    return assert.ok(wanted.test(message), `${wanted} is not in: ${message}`);
  } finally {
    delete process.env['CARELESS_WAY'];
  }
  throw new Error(`nothing was seen of a worker that ${way}`);
}

test('a file that is half written shows', async () => {
  await complains('tears', /round \d+ with CRASH_SEED=\d+, attempt 1 killed .*: page\.md/);
});

test('work that is done twice shows', async () => {
  await complains('counts', /attempt 1 killed .*(?:not as if undisturbed|: count)/);
});

test('a job that is submitted twice shows', async () => {
  await complains('submits', /not as if undisturbed/);
});

test.run();

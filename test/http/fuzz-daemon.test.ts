/**
 * A running daemon, its ledger on a disk, under requests made from the document: never a 5xx, never a status that the
 * order of refusals doesn't leave, never an answer that the document doesn't have, never an event from a refused request.
 */
import { Agent } from 'node:http';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { DaemonFolder } from '../support/daemon.js';
import { type FuzzRequest, fuzzRequest } from '../support/fuzz-requests.js';
import { type Answer, askUnchecked, whyNotDocumented } from '../support/http-client.js';

const test = suite('fuzz of a daemon');
/** More on demand: AGENTOPSD_FUZZ_REQUESTS=1000000. A run is repeated with the seed that it printed. */
const REQUESTS = Number(process.env['AGENTOPSD_FUZZ_REQUESTS'] ?? 20_000);
const SEED = Number(process.env['AGENTOPSD_FUZZ_SEED'] ?? Date.now() % 2 ** 31);
const ROUND = 1000;
const LANES = 16;
const TOKEN = 'test-token';

interface Round {
  /** Ids of requests that were refused: no event may bear one. */
  readonly refused: Set<string>;
  accepted: number;
}

test(`${REQUESTS} requests, AGENTOPSD_FUZZ_SEED=${SEED}`, async () => {
  const folder = await DaemonFolder.make();
  const agent = new Agent({ keepAlive: true, maxSockets: LANES });
  try {
    const { url, exited, stderr } = await folder.startProcess({ workers: 0 });
    let died: number | string | undefined;
    void exited.then((how) => {
      died = how;
    });
    const port = Number(new URL(url).port);
    const requests = fc.sample(fuzzRequest(port, TOKEN), { numRuns: REQUESTS, seed: SEED });
    const statuses = new Map<number, number>();
    let events = (await folder.events()).length;
    for (let from = 0; from < requests.length; from += ROUND) {
      const round: Round = { refused: new Set(), accepted: 0 };
      const waiting = requests.slice(from, from + ROUND).map((request, at) => ({ request, at: from + at }));
      const lane = async (): Promise<void> => {
        for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
          const answer = await send(port, agent, next.request, next.at);
          statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
          if (answer.status === 202) round.accepted++;
          else if (next.request.requestId !== undefined) round.refused.add(next.request.requestId);
        }
      };
      await Promise.all(Array.from({ length: LANES }, lane));
      assert.is(died, undefined, `the daemon ended: ${String(died)}\n${stderr()}`);
      const now = await folder.events();
      assert.equal(
        now.filter(({ request_id }) => round.refused.has(request_id)),
        [],
        'an event of a refused request',
      );
      assert.ok(now.length - events <= round.accepted, `${now.length - events} events of ${round.accepted} accepted`);
      events = now.length;
    }
    for (const status of [200, 202, 400, 403, 404, 405, 413, 415])
      assert.ok((statuses.get(status) ?? 0) > 0, `${status} was never answered: ${JSON.stringify([...statuses])}`);
    assert.not.match(stderr(), /fault of the daemon|unhandled|leak/i);
    assert.is((await folder.ready()).ready, true);
  } finally {
    agent.destroy();
    await folder.close();
  }
});

async function send(port: number, agent: Agent, request: FuzzRequest, at: number): Promise<Answer> {
  const { method, path, headers, body } = request;
  const tell = (what: string): string =>
    `request ${at} of seed ${SEED}: ${what}\n${JSON.stringify({ ...request, body: body?.slice(0, 2000) })}`;
  let answer: Answer;
  try {
    answer = await askUnchecked(port, method, path, { agent, headers, ...(body === undefined ? {} : { body }) });
  } catch (error) {
    throw new Error(tell(String(error)), { cause: error });
  }
  const why = whyNotDocumented(method, path, answer);
  assert.is(why, undefined, tell(`${answer.status}, ${why}: ${answer.text.slice(0, 500)}`));
  assert.ok(
    request.allowed.includes(answer.status),
    tell(`${answer.status}, not one of ${request.allowed.join(', ')}: ${answer.text.slice(0, 500)}`),
  );
  return answer;
}

test.run();

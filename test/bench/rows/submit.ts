/** A file of many envelopes handed in by the command line, beside bare requests: what the client adds to the server. */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inRoom, type Room, TOKEN } from '../room.js';
import type { Row } from '../row.js';

const LINES = 1000;
const LANES = 64;
const WARM_UP_SECONDS = 2;
const JOB_TYPE = 'eval.suite';
const PAYLOAD = { suite: 'smoke' };
const CLI = fileURLToPath(new URL('../../../lib/cli/main.js', import.meta.url));

export function submitRow(rounds: number): Promise<Row> {
  return inRoom(async (room) => {
    const daemon = await room.startDaemon();
    const order = { kind: 'submit', lanes: LANES, jobType: JOB_TYPE, payload: PAYLOAD } as const;
    await room.load(daemon.port, { ...order, seconds: WARM_UP_SECONDS, name: 'warm' });
    const [values, bare]: number[][] = [[], []];
    for (let round = 0; round < rounds; round++) {
      const { perSecond } = await room.load(daemon.port, { ...order, requests: LINES, name: `bare-${round}` });
      bare?.push((LINES / perSecond) * 1000);
      const file = writeEnvelopes(room, round);
      const startMs = timedCli(room, daemon.port, ['--version']);
      values?.push(timedCli(room, daemon.port, ['submit', file]) - startMs);
    }
    await daemon.stop();
    return {
      figure: `agentopsd submit of ${LINES.toLocaleString('en-US')} lines, less process start`,
      unit: 'ms',
      values: values ?? [],
      baseline: { name: `as many bare requests over ${LANES} lanes`, unit: 'ms', values: bare ?? [] },
    };
  });
}

function writeEnvelopes(room: Room, round: number): string {
  const file = join(room.top, `jobs-${round}.jsonl`);
  const lines = Array.from({ length: LINES }, (_, at) =>
    JSON.stringify({
      schema_version: 1,
      request_id: `req-file-${round}-${at}`,
      idempotency_key: `key-file-${round}-${at}`,
      job_type: JOB_TYPE,
      payload: PAYLOAD,
    }),
  );
  writeFileSync(file, `${lines.join('\n')}\n`);
  return file;
}

/** @returns milliseconds, from the start of the process to its end */
function timedCli({ root, state }: Room, port: number, words: readonly string[]): number {
  const env = {
    ...process.env,
    AGENTOPSD_STATE_DIR: state,
    AGENTOPSD_TOKEN: TOKEN,
    AGENTOPSD_URL: `http://127.0.0.1:${port}`,
  };
  const begun = performance.now();
  const { status, stderr } = spawnSync(process.execPath, [CLI, ...words], { cwd: root, env, encoding: 'utf8' });
  const ms = performance.now() - begun;
  if (status !== 0) throw new Error(`agentopsd ${words[0]} ended with ${status}: ${stderr}`);
  return ms;
}

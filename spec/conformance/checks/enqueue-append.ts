/** How a record gets to the disk: what is said when it can't be written, and whether it is made certain of. */
import { spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { check, NotTested } from '../check.js';
import { type Context, isGood, said } from '../context.js';
import { shown, textAt } from '../json.js';
import { type Exchange, NoAnswer } from '../target/exchange.js';
import { matches } from '../target/files.js';
import type { OwnServer } from '../target/own-server.js';
import { type SystemCall, systemCalls } from '../target/trace.js';
import { acceptedAs, taken } from './steps.js';

/** 256 KiB: more than a start writes, and soon full. */
const FILE_BLOCKS = 512;
const PAYLOAD_CHARACTERS = 24_000;
const MOST_SUBMITS = 100;
/** Somebody might give up after the first. */
const REFUSALS = 3;

const TRACE_FILE = 'system-calls.trace';
const STRACE = ['strace', '-f', '-qq', '-y', '-s', '64'];
const TRACED = 'openat,read,recvfrom,recvmsg,readv,write,writev,sendto,sendmsg,fsync,fdatasync,msync';

export const appendChecks = [
  check(
    'enqueue.durable.append-failure',
    async (context) => {
      const server = await context.server({ fileBlocks: FILE_BLOCKS });
      const { acknowledged, refused } = await submitUntilFull(context, server);
      await server.crash({ fileBlocks: undefined });
      const events = await acceptedAs([...acknowledged, ...refused], server);
      const count = (jobId: string): number => events.filter((event) => event['job_id'] === jobId).length;
      const lost = acknowledged.find((jobId) => count(jobId) !== 1);
      const expected = 'each job that was acknowledged on a full disk has its job.accepted afterwards';
      context.should(lost === undefined, expected, `job ${lost}: ${count(lost ?? '')}`);
      if (refused.length === 0 && lost === undefined) {
        const bytes = MOST_SUBMITS * PAYLOAD_CHARACTERS;
        throw new NotTested(`${bytes} bytes were written, though no file of the process may grow so large`);
      }
      for (const jobId of refused) {
        const retry = await server.submit(context.envelope({ job_id: jobId }));
        context.should(isGood(retry), 'a submit that could not be written is taken later', said(retry), retry);
        const accepted = await acceptedAs([jobId], server);
        const observed = `${accepted.length} of job ${jobId}`;
        context.should(
          accepted.length === 1,
          'one job.accepted of what could not be written at first',
          observed,
          retry,
        );
      }
    },
    { deadlineMs: 300_000 },
  ),

  check('enqueue.durable.fsync-probe', async (context) => {
    await context.needOption('fsync-probe', async () => false);
    needStrace();
    const server = await context.server({ stopped: true });
    const file = join(server.dataDir, TRACE_FILE);
    await server.start({ wrapper: [...STRACE, '-e', `trace=${TRACED}`, '-o', file, '--'] });
    // The first one opens files that stay open.
    await taken(context, context.envelope(), server);
    const from = statSync(file).size;
    const { answer } = await taken(context, context.envelope(), server);
    const calls = await context.until('the answer in the trace', 10_000, async () => {
      const found = systemCalls(readFileSync(file, 'utf8').slice(from));
      return found.some(isAnswer) ? found : undefined;
    });
    const synced =
      opensSynchronously(context, server, readFileSync(file, 'utf8')) || syncsLedger(context, server, calls);
    const expected = 'fsync or fdatasync of the ledger between the request and its answer';
    context.may(synced, expected, `calls: ${shown(calls.map(({ text }) => text).slice(0, 20))}`, answer);
  }),
];

async function submitUntilFull(context: Context, server: OwnServer) {
  const acknowledged: string[] = [];
  const refused: string[] = [];
  for (let count = 0; count < MOST_SUBMITS && refused.length < REFUSALS && server.isRunning; count += 1) {
    const text = 'x'.repeat(PAYLOAD_CHARACTERS);
    const envelope = context.envelope({ payload: { conformance_text: text } });
    const answer = await submitted(server, envelope);
    if (answer !== undefined && isGood(answer)) acknowledged.push(textAt(answer.json, 'job_id') ?? '');
    else refused.push(String(envelope['job_id']));
  }
  return { acknowledged, refused };
}

/** A process that ends over it has acknowledged nothing. */
async function submitted(server: OwnServer, envelope: object): Promise<Exchange | undefined> {
  try {
    return await server.submit(envelope);
  } catch (error) {
    if (error instanceof NoAnswer) return undefined;
    throw error;
  }
}

/** @throws NotTested */
function needStrace(): void {
  const tried = spawnSync('strace', ['-f', '-qq', '-o', '/dev/null', 'true'], { encoding: 'utf8' });
  if (tried.status === 0) return;
  throw new NotTested(`there is no strace that may trace here: ${tried.error?.message ?? tried.stderr.trim()}`);
}

function isLedger(context: Context, server: OwnServer, path: string): boolean {
  const below = path.startsWith(`${server.dataDir}/`) ? path.slice(server.dataDir.length + 1) : undefined;
  const patterns = context.profile.ledger?.paths ?? ['**'];
  return below !== undefined && below !== TRACE_FILE && matches(below, patterns);
}

function opensSynchronously(context: Context, server: OwnServer, trace: string): boolean {
  return systemCalls(trace).some(
    ({ name, text, paths }) =>
      name === 'openat' && /O_D?SYNC/.test(text) && paths.some((path) => isLedger(context, server, path)),
  );
}

function syncsLedger(context: Context, server: OwnServer, calls: readonly SystemCall[]): boolean {
  const request = calls.findIndex(({ text }) => text.includes('POST /v1/jobs'));
  const answer = calls.findIndex(isAnswer);
  return calls
    .slice(Math.max(0, request), answer)
    .some(({ name, paths }) => /sync$/.test(name) && paths.some((path) => isLedger(context, server, path)));
}

function isAnswer({ text }: SystemCall): boolean {
  return /"HTTP\/1\.[01] 202/.test(text);
}

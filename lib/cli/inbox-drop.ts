/**
 * Handing in without a network: a file that is whole appears in `.agents/inbox/new`, the daemon takes it and leaves its
 * answer in `.agents/inbox/done`. It is written beside and renamed, so nobody ever sees half of it.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { lstatSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { AgentopsdError } from '../base/errors.js';
import { isJsonObject } from '../base/json.js';
import { limits } from '../base/limits.js';
import { safeLine } from '../base/text.js';
import { hasEnded } from '../client/wait.js';
import { seeInbox } from '../engine/setup.js';
import { tellEnds } from './ends.js';
import type { Envelope } from './envelopes.js';
import type { Invocation } from './invocation.js';
import { requireLaidDown } from './place.js';
import { openReading } from './reading.js';
import { exitOfEnds } from './waiting.js';

export interface Dropped {
  /** Relative to the root. */
  readonly file: string;
  /** Where the answer will stand: one of the two. */
  readonly accepted: string;
  readonly rejected: string;
  readonly idempotency_key: string;
}

const INBOX = '.agents/inbox';
const NAME_BYTES = 6;
const POLL_MS = 200;

/** @throws AgentopsdError `folder_unusable` or `body_too_large` */
export async function dropIntoInbox(
  { place, environment, printer }: Invocation,
  envelopes: readonly Envelope[],
): Promise<Dropped[]> {
  requireLaidDown(place);
  for (const folder of [INBOX, `${INBOX}/new`]) await makeFolder(join(place.root, folder));
  const files = envelopes.map(contentOf);
  const seen = await seeInbox({ root: place.root, environment });
  if (!seen) printer.note('the state folder is out of reach: a daemon that never ran here will not take the file');
  const dropped: Dropped[] = [];
  for (const { text, key } of files) dropped.push(await drop(place.root, text, key));
  return dropped;
}

/** A key of its own for each: the same file dropped twice is meant twice. */
function contentOf({ request, from }: Envelope): { text: string; key: string } {
  const key = request.idempotency_key ?? randomUUID();
  const text = `${JSON.stringify({ ...request, idempotency_key: key })}\n`;
  if (Buffer.byteLength(text) <= limits.inboxFileBytes) return { text, key };
  throw new AgentopsdError('body_too_large', `${from ?? 'the job'} is larger than ${limits.inboxFileBytes} bytes`);
}

async function drop(root: string, text: string, key: string): Promise<Dropped> {
  const name = `${new Date().toISOString().replace(/[-:.]/g, '')}-${randomBytes(NAME_BYTES).toString('hex')}`;
  const beside = join(root, INBOX, `.${name}.tmp`);
  await writeFile(beside, text, { flag: 'wx', mode: 0o600 });
  await rename(beside, join(root, INBOX, 'new', `${name}.json`));
  return {
    file: `${INBOX}/new/${name}.json`,
    accepted: `${INBOX}/done/${name}.accepted.json`,
    rejected: `${INBOX}/done/${name}.rejected.json`,
    idempotency_key: key,
  };
}

async function makeFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true });
  if (lstatSync(path).isDirectory()) return;
  throw new AgentopsdError('folder_unusable', `${path} is a link`, { hint: 'make it a folder of its own' });
}

/** Tells where the files are, or with `--wait` how the jobs ended. */
export async function tellDropped(dropped: readonly Dropped[], invocation: Invocation, many: boolean): Promise<number> {
  const { flags, printer } = invocation;
  if (flags.on('wait')) return waitForDropped(dropped, invocation, many);
  printer.answer(many ? 'dropped_jobs' : 'dropped', many ? dropped : dropped[0], () => {
    for (const { file } of dropped) printer.line(printer.quiet ? safeLine(file) : `○ dropped  ${safeLine(file)}`);
  });
  printer.note('the answer will stand in .agents/inbox/done');
  return 0;
}

async function waitForDropped(dropped: readonly Dropped[], invocation: Invocation, many: boolean): Promise<number> {
  const ended = [];
  for (const each of dropped) ended.push(await endOf(each, invocation));
  tellEnds(many ? 'jobs' : 'job', ended, invocation.printer);
  return exitOfEnds(ended);
}

/** The files alone tell: whoever uses the inbox may not be able to reach the daemon. */
async function endOf(dropped: Dropped, invocation: Invocation) {
  const quiet: Invocation = { ...invocation, printer: invocation.printer.silenced() };
  const jobId = await acceptedId(dropped, invocation.place.root);
  for (;;) {
    const job = await (await openReading(quiet)).job(jobId);
    if (hasEnded(job)) return job;
    await delay(POLL_MS);
  }
}

async function acceptedId({ accepted, rejected }: Dropped, root: string): Promise<string> {
  for (;;) {
    const answer = await answerIn(join(root, accepted));
    if (typeof answer?.['job_id'] === 'string') return answer['job_id'];
    const refusal = await answerIn(join(root, rejected));
    if (refusal !== undefined)
      throw new AgentopsdError('invalid_request', `the job was rejected: ${safeLine(String(refusal['error']))}`);
    await delay(POLL_MS);
  }
}

async function answerIn(path: string): Promise<Record<string, unknown> | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'));
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

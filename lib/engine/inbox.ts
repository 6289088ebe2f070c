/**
 * Submitting without a network: a file renamed into `.agents/inbox/new/` is one envelope. Its way:
 *
 *   read ─> submit (key: its own, or one of name and bytes) ─> durable ─> answer in `done/` ─> the request file goes
 *
 * A crash between any two steps repeats the ones before under the same key, so a request becomes one job. A file that is
 * no JSON yet may be half-written and waits until it has not changed for a while. What can't be written now (no room, an
 * outcome that is not known) stays where it is, for the next look or the next start.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Clock } from '../base/clock.js';
import { AgentopsdError, type ErrorData, errorTable } from '../base/errors.js';
import { limits } from '../base/limits.js';
import type { Logger } from '../base/log.js';
import type { Random } from '../base/random.js';
import { safeLine } from '../base/text.js';
import type { Outcome, SubmitCommand } from '../model/command.js';
import type { Job } from '../model/job.js';
import { readSmallFile, replaceFile } from '../storage/atomic-file.js';
import type { Disk } from '../storage/disk.js';
import type { Home } from '../storage/home.js';
import { readEnvelope } from './envelope.js';
import { FolderWatch, type Watch } from './folder-watch.js';
import {
  firstSight,
  type InboxFolders,
  inboxFolders,
  isPassedBy,
  isRequestName,
  makeInboxFolders,
  type PassedBy,
  requestNames,
} from './inbox-folder.js';
import { submitCommandOf } from './submit-command.js';
import { Unsettled } from './unsettled.js';

export interface InboxOptions {
  /** `root` is the real path of the repository. */
  readonly home: Pick<Home, 'folder' | 'root'>;
  readonly disk: Disk;
  readonly random: Random;
  readonly clock: Clock;
  readonly logger: Logger;
  /** @throws AgentopsdError as the kernel does */
  readonly execute: (command: SubmitCommand) => Promise<Outcome>;
  /** The body with which HTTP answers an accepted submit. */
  readonly acceptedBody: (job: Job) => object;
  /** The body with which HTTP answers a refusal. */
  readonly refusedBody: (error: ErrorData) => object;
  readonly maxAttempts: () => number;
  /** For tests; default chokidar. */
  readonly watch?: Watch;
}

export interface Inbox {
  /** Takes what was dropped while nobody looked, then watches. Idempotent, as is `stop`. */
  start(): Promise<void>;
  /** Resolves when nothing is being submitted any more. */
  stop(): Promise<void>;
  /** Looks once at what is there. */
  runOnce(): Promise<void>;
  /** What is not taken, and why; one line each. */
  warnings(): readonly string[];
}

export function createInbox(options: InboxOptions): Inbox {
  return new FileInbox(options);
}

/** What becomes of a file: an answer, or it stays for now. */
type Verdict = { readonly accepted: boolean; readonly body: object } | 'stays';

const ACTOR = 'inbox';
const NAMES_SHOWN = 5;

class FileInbox implements Inbox {
  readonly #options: InboxOptions;
  readonly #watch: FolderWatch;
  #passedBy: PassedBy | undefined;
  #warnings: readonly string[] = [];
  readonly #unsettled: Unsettled;

  constructor(options: InboxOptions) {
    this.#options = options;
    this.#unsettled = new Unsettled(options.clock);
    this.#watch = new FolderWatch({
      folder: inboxFolders(options.home.root).new,
      concerns: isRequestName,
      look: () => this.#look(),
      clock: options.clock,
      onError: (error) => this.#tell([`the inbox can't be read: ${textOf(error)}`]),
      ...(options.watch === undefined ? {} : { watch: options.watch }),
    });
  }

  async start(): Promise<void> {
    await this.runOnce();
    this.#watch.start();
  }

  stop(): Promise<void> {
    return this.#watch.stop();
  }

  runOnce(): Promise<void> {
    return this.#watch.hint();
  }

  warnings(): readonly string[] {
    const problem = this.#watch.problem();
    return problem === undefined ? this.#warnings : [...this.#warnings, problem];
  }

  async #look(): Promise<void> {
    const { disk, home, random } = this.#options;
    // First of all: what the folders that we make could hide must be known before.
    this.#passedBy ??= await firstSight({ disk, random }, home);
    const folders = await makeInboxFolders(disk, home.root);
    const names = await requestNames(disk, folders.new);
    const strangers: string[] = [];
    const told: string[] = [];
    const takable: string[] = [];
    for (const name of names) {
      if (await isPassedBy(disk, folders.new, name, this.#passedBy)) strangers.push(name);
      else if (this.#isTakable(folders, name, told)) takable.push(name);
    }
    this.#unsettled.keep(names);
    for (let at = 0; at < takable.length; at += limits.inboxBatchFiles) {
      await this.#takeTogether(folders, takable.slice(at, at + limits.inboxBatchFiles), told);
    }
    if (strangers.length > 0) told.unshift(strangersWarning(strangers));
    this.#tell(told);
  }

  /** Whether there can be an answer at all: a folder can't simply be removed, and a long name leaves none its answer. */
  #isTakable(folders: InboxFolders, name: string, told: string[]): boolean {
    const kind = this.#options.disk.factsSync(join(folders.new, name))?.kind;
    if (kind === 'folder') told.push(`inbox/new/${shown(name)} is a folder, and is not taken; move it away`);
    const tooLong = Buffer.byteLength(name, 'utf8') > limits.inboxNameBytes || name.includes('\ufffd');
    if (tooLong)
      told.push(
        `inbox/new/${shown(name)}: its name is not UTF-8, or longer than ${limits.inboxNameBytes} bytes; it is not taken`,
      );
    return kind !== undefined && kind !== 'folder' && !tooLong;
  }

  /** Read one after the other, submitted together: they share the batches of the ledger, in the order of their names. */
  async #takeTogether(folders: InboxFolders, names: readonly string[], told: string[]): Promise<void> {
    const submits: (() => Promise<Verdict>)[] = [];
    for (const name of names) submits.push(await this.#read(folders, name));
    const verdicts = await Promise.allSettled(submits.map((submit) => submit()));
    for (const [at, settled] of verdicts.entries()) {
      const name = names[at] as string;
      if (settled.status === 'rejected') told.push(`inbox/new/${shown(name)} stays for now: ${textOf(settled.reason)}`);
      else if (settled.value !== 'stays') await this.#answer(folders, name, settled.value);
    }
  }

  /** What is to be done with a file, with all that has to be read for it. */
  async #read(folders: InboxFolders, name: string): Promise<() => Promise<Verdict>> {
    const { disk } = this.#options;
    const path = join(folders.new, name);
    const facts = disk.factsSync(path);
    if (facts === undefined) return async () => 'stays';
    if (facts.kind !== 'file')
      return this.#refusing({ code: 'invalid_request', message: 'the request is not a regular file' });
    if (facts.sizeBytes > limits.inboxFileBytes) return this.#refusing(tooLarge());
    let bytes: Buffer | undefined;
    try {
      bytes = await readSmallFile(disk, path, limits.inboxFileBytes);
    } catch (error) {
      if (!(error instanceof AgentopsdError)) return () => Promise.reject(error);
      return this.#refusing({
        code: 'invalid_request',
        message: 'the request is not a regular file of this user, or grew too large',
      });
    }
    return bytes === undefined ? async () => 'stays' : this.#submitting(name, bytes);
  }

  #submitting(name: string, bytes: Buffer): () => Promise<Verdict> {
    const read = readEnvelope(bytes);
    const hash = createHash('sha256').update(name, 'utf8').update('\0').update(bytes).digest('hex');
    if (read.refused?.code === 'invalid_json' && !this.#unsettled.hasSettled(name, hash)) return async () => 'stays';
    if (read.refused) return this.#refusing(read.refused);
    const { execute, acceptedBody, refusedBody, maxAttempts, clock, random } = this.#options;
    const request = { ...read.request, idempotency_key: read.request.idempotency_key ?? `inbox:${hash}` };
    return async () => {
      try {
        const { job } = await execute(submitCommandOf(request, ACTOR, { clock, random, maxAttempts: maxAttempts() }));
        return job === undefined ? 'stays' : { accepted: true, body: acceptedBody(job) };
      } catch (error) {
        // A caller's mistake has its answer; anything else is ours, and may be over at the next look.
        if (!(error instanceof AgentopsdError) || errorTable[error.code].http >= 500) throw error;
        return { accepted: false, body: refusedBody(error.toData()) };
      }
    };
  }

  #refusing(error: ErrorData): () => Promise<Verdict> {
    return async () => ({ accepted: false, body: this.#options.refusedBody(error) });
  }

  /** The answer first: a request that is gone without one would be lost for its sender. */
  async #answer(folders: InboxFolders, name: string, { accepted, body }: Exclude<Verdict, 'stays'>): Promise<void> {
    const { disk, random, logger } = this.#options;
    const stem = name.slice(0, -'.json'.length);
    const answer = `${stem}.${accepted ? 'accepted' : 'rejected'}.json`;
    await replaceFile({ disk, random }, join(folders.done, answer), `${JSON.stringify(body)}\n`);
    await disk.remove(join(folders.done, `${stem}.${accepted ? 'rejected' : 'accepted'}.json`));
    await disk.remove(join(folders.new, name));
    this.#unsettled.forget(name);
    logger('info', `inbox: ${shown(name)} was ${accepted ? 'accepted' : 'rejected'}`);
  }

  #tell(warnings: readonly string[]): void {
    for (const warning of warnings) if (!this.#warnings.includes(warning)) this.#options.logger('warn', warning);
    this.#warnings = warnings;
  }
}

function strangersWarning(names: readonly string[]): string {
  const more = names.length > NAMES_SHOWN ? ` and ${names.length - NAMES_SHOWN} more` : '';
  const list = names.slice(0, NAMES_SHOWN).map(shown).join(', ');
  return `inbox/new: ${list}${more} came with the repository and will not be taken; to submit one, drop a copy under another name`;
}

function tooLarge(): ErrorData {
  const message = `the request is larger than ${limits.inboxFileBytes} bytes`;
  return { code: 'body_too_large', message, details: { max_bytes: limits.inboxFileBytes } };
}

function shown(name: string): string {
  return safeLine(name.length > 80 ? `${name.slice(0, 80).toWellFormed()}…` : name);
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

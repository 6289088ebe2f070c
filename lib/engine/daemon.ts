/**
 * The daemon: the one place where all parts are put together. The order of the start is the order of what each part may
 * rely on; nothing is visible to anyone before the ledger is ours and what a dead daemon left is dealt with:
 *
 *   options, home, configuration, tokens ─> ledger (we are the writer) ─> leftovers ended, leases expired
 *     ─> listen ─> activation.json ─> inbox, workers
 *
 * A start that fails lets go of everything in the reverse order, and so does the stop, after the running jobs had their
 * time.
 */
import { type Clock, timestamp } from '../base/clock.js';
import { AgentopsdError, invariant } from '../base/errors.js';
import type { Random } from '../base/random.js';
import { errorBody } from '../http/answers.js';
import { createHttpServer } from '../http/server.js';
import type { JobType } from '../model/event.js';
import { submitAnswer } from '../model/views.js';
import { removeActivation, writeActivation } from '../storage/activation.js';
import { type Disk, DiskError } from '../storage/disk.js';
import { type OpenedLedger, openFileLedger } from '../storage/file-ledger.js';
import { type Home, openHome } from '../storage/home.js';
import { LEDGER_PATH } from '../storage/layout.js';
import { createLeaseFiles } from '../storage/lease-file.js';
import { removeLeftTemporaries } from '../storage/left-temporaries.js';
import { networkPlaces } from '../storage/mounts.js';
import { createChainThread } from '../storage/node-chain-thread.js';
import { createNodeClock, createNodeRandom } from '../storage/node-clock.js';
import { createNodeDisk } from '../storage/node-disk.js';
import { createProcessFacts } from '../storage/process-facts.js';
import { loadTokens, makeToken, type TokenEntry } from '../storage/token-file.js';
import { adoptAll } from './adoption.js';
import { type ConfigurationSource, openConfigurationSource } from './configuration-source.js';
import { type CheckedOptions, checkDaemonOptions, type Daemon, type DaemonOptions } from './daemon-options.js';
import { endingOf } from './ending.js';
import { Execution } from './execution.js';
import { createInbox, type Inbox } from './inbox.js';
import { type Kernel, openKernel } from './kernel.js';
import { ProjectionFiles } from './projection-files.js';
import { Releasers } from './releasers.js';
import { outputLogOf } from './run-folder.js';
import { loadContract } from './schemas.js';
import { collectWarnings } from './warnings.js';

export type { Daemon, DaemonEnd, DaemonOptions } from './daemon-options.js';

const KEEP_ALIVE_MS = 3_600_000;

/**
 * @throws AgentopsdError with one clear line: `usage`, `configuration_invalid`, `token_file_unsafe`, `folder_unusable`,
 *   `file_unsafe`, `daemon_running`, `ledger_newer`, `ledger_unsafe`, `address_in_use`
 */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const checked = checkDaemonOptions(options);
  const { logger } = checked;
  const releasers = new Releasers((error) => logger('error', `letting go: ${textOf(error)}`));
  // No timer of the daemon keeps the process alive; something has to, from here to the very end.
  const alive = setInterval(() => {}, KEEP_ALIVE_MS);
  releasers.add(() => clearInterval(alive));
  try {
    return await start(checked, releasers);
  } catch (error) {
    await releasers.releaseAll();
    throw error instanceof DiskError ? unusable(checked.root, error) : error;
  }
}

/** What every part gets. */
interface Ground {
  readonly options: CheckedOptions;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly random: Random;
  readonly home: Home;
  readonly configuration: ConfigurationSource;
  readonly tokens: readonly TokenEntry[];
  readonly releasers: Releasers;
}

async function start(options: CheckedOptions, releasers: Releasers): Promise<Daemon> {
  const ground = await prepare(options, releasers);
  const { clock, random, home, configuration } = ground;
  const { kernel, opened } = await openLedger(ground);
  await removeLeftTemporaries(ground.disk, home);
  const execution = executionOf(ground, kernel, opened);
  const projections = new ProjectionFiles({ root: home.root, kernel, clock, random, logger: options.logger });
  const inbox = inboxOf(ground, kernel);
  const noWorkerFor = (jobType: JobType) => execution.noWorkerFor(jobType);
  const places = networkPlaces({ repository: home.root, 'state folder': home.folder }, options.mounts);
  for (const place of places) options.logger('warn', place);
  const others = [() => places, () => configuration.warnings(), () => inbox.warnings(), () => projections.problems()];
  const warnings = () => collectWarnings({ state: kernel.state, noWorkerFor, others });
  kernel.surround({ warnings, noWorkerFor });
  if (options.adopt) await adoptAll(kernel, clock);
  const prepared = execution.prepare();
  // Compiled now, beside that: the first request is not to wait for it.
  loadContract();
  await prepared;
  const { url, port } = await listen(ground, kernel, opened, execution);

  kernel.onChange(() => projections.onChange());
  projections.start();
  releasers.add(() => projections.stop());
  await inbox.start();
  releasers.add(() => inbox.stop());
  configuration.onChange(() => execution.lookAgain());
  configuration.start();
  execution.start();
  options.logger('info', `listening on ${url}`, { root: home.root, workers: workersOf(ground) });
  const facts = { url, port, root: home.root, ledgerFolder: LEDGER_PATH, stateFolder: home.folder };
  return Object.freeze({ ...facts, warnings, ...endingOf({ kernel, execution, inbox, releasers }) });
}

/** Everything that may refuse the start before the ledger is touched. */
async function prepare(options: CheckedOptions, releasers: Releasers): Promise<Ground> {
  const disk = createNodeDisk();
  const clock = createNodeClock();
  const random = createNodeRandom();
  const { environment: env, tokenFile, logger, trust } = options;
  const home = await openHome({ disk, random, root: options.root, env });
  const configuration = await openConfigurationSource({ home, disk, random, clock, logger, trust });
  releasers.add(() => configuration.stop());
  await makeToken({ disk, random }, home);
  const tokens = await loadTokens({ disk, env, tokenFile, home });
  return { options, disk, clock, random, home, configuration, tokens, releasers };
}

async function openLedger({
  options,
  disk,
  clock,
  random,
  home,
  releasers,
}: Ground): Promise<{ kernel: Kernel; opened: OpenedLedger }> {
  let opened: OpenedLedger | undefined;
  const kernel = await openKernel({
    clock,
    openLedger: async (observer) => {
      opened = await openFileLedger({
        disk,
        clock,
        random,
        root: home.root,
        home,
        observer,
        chainThread: createChainThread,
        progress: options.onProgress,
      });
      releasers.add(() => opened?.ledger.close());
      return opened.ledger;
    },
  });
  invariant(opened !== undefined, 'a kernel has opened its ledger');
  return { kernel, opened };
}

function executionOf(ground: Ground, kernel: Kernel, { ledger, writer }: OpenedLedger): Execution {
  const { options, disk, clock, random, home, configuration, releasers } = ground;
  const { bootId } = createProcessFacts().self();
  const execution = new Execution({
    kernel,
    clock,
    random,
    logger: options.logger,
    root: home.root,
    workers: workersOf(ground),
    configuration: () => configuration.current(),
    environment: options.environment,
    workerEntry: options.workerEntry,
    leaseFiles: createLeaseFiles({ disk, random, home, bootId }),
    writer: writer.writerId,
    recheck: () => ledger.recheck(),
  });
  releasers.add(() => execution.close());
  return execution;
}

function workersOf({ options, configuration }: Ground): number {
  return options.workers ?? configuration.current().workers;
}

/** What is dropped there gets the answer that HTTP would give. */
function inboxOf({ options, disk, clock, random, home, configuration }: Ground, kernel: Kernel): Inbox {
  return createInbox({
    home,
    disk,
    random,
    clock,
    logger: options.logger,
    execute: (command) => kernel.execute(command),
    acceptedBody: (job) => submitAnswer(job, kernel.state, kernel.viewContext()),
    refusedBody: errorBody,
    maxAttempts: () => configuration.current().queue.max_attempts,
  });
}

/** From here on everybody can see the daemon. */
async function listen(
  ground: Ground,
  kernel: Kernel,
  { writer }: OpenedLedger,
  execution: Pick<Execution, 'progressOf'>,
): Promise<{ url: string; port: number }> {
  const { options, disk, clock, random, home, configuration, tokens, releasers } = ground;
  const server = createHttpServer({
    kernel,
    clock,
    random,
    disk,
    root: home.root,
    tokens,
    get http() {
      return configuration.current().http;
    },
    get maxAttempts() {
      return configuration.current().queue.max_attempts;
    },
    failpoints: options.failpoints,
    runLog: async (jobId, attempt = kernel.state.job(jobId)?.attempt ?? 0) =>
      attempt < 1 ? undefined : outputLogOf(home.root, jobId, attempt),
    progressOf: (jobId) => execution.progressOf(jobId),
    logger: options.logger,
  });
  releasers.add(() => server.close());
  const address = await server.listen(options.host, options.port);
  options.onListening();
  const activation = {
    url: address.url,
    pid: process.pid,
    writer: writer.writerId,
    started_at: timestamp(clock.wallMs()),
  };
  releasers.add(() => removeActivation(disk, home, writer.writerId));
  await writeActivation({ disk, random }, home, activation);
  return address;
}

function unusable(root: string, error: DiskError): AgentopsdError {
  return new AgentopsdError('folder_unusable', `${root} can't be used: ${error.message}`, {
    hint: 'the daemon needs a folder that it may read and write, with room on its disk',
    cause: error,
  });
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The ledger as its files tell it: read and folded here, without the daemon. Changes nothing. */
import { join } from 'node:path';
import { timestamp } from '../base/clock.js';
import { AgentopsdError } from '../base/errors.js';
import { State } from '../model/state.js';
import type { ViewContext } from '../model/view-context.js';
import { SOURCE_LEDGER } from '../model/views.js';
import { DiskError } from '../storage/disk.js';
import { findHome, type Home } from '../storage/home.js';
import { createChainThread } from '../storage/node-chain-thread.js';
import { createNodeDisk } from '../storage/node-disk.js';
import {
  planReplay,
  type ReplayedEvent,
  type ReplayOptions,
  type ReplayPlan,
  replayEvents,
} from '../storage/replay.js';
import { type Verification, type VerifyOptions, verifyLedger } from '../storage/verify.js';
import type { Environment } from './invocation.js';
import type { Place } from './place.js';

export interface LedgerFiles {
  readonly plan: ReplayPlan;
  /** The counted events, in order. */
  events(): AsyncGenerator<ReplayedEvent>;
}

/** @throws AgentopsdError `ledger_newer`, `ledger_unreadable`, `file_unsafe` */
export async function openLedgerFiles(place: Place, environment: Environment): Promise<LedgerFiles> {
  const options = await replayOptions(place, environment);
  const plan = await readable(() => planReplay(options));
  return { plan, events: () => readableEvents(options, plan) };
}

/** The whole check. @throws the same */
export async function verifyLedgerFiles(
  place: Place,
  environment: Environment,
  progress: NonNullable<VerifyOptions['progress']>,
): Promise<Verification> {
  const options = await replayOptions(place, environment);
  const homeFolder = options.home?.folder;
  const checkers = createChainThread();
  try {
    return await readable(() =>
      verifyLedger({ ...options, homeFolder, shownFolder: SOURCE_LEDGER, progress, checkers }),
    );
  } finally {
    await checkers.close();
  }
}

async function replayOptions(
  place: Place,
  environment: Environment,
): Promise<ReplayOptions & { readonly home: Home | undefined }> {
  const disk = createNodeDisk();
  const home = await findHome({ disk, root: place.root, env: environment });
  return { disk, ledgerFolder: join(place.root, SOURCE_LEDGER), home };
}

async function* readableEvents(options: ReplayOptions, plan: ReplayPlan): AsyncGenerator<ReplayedEvent> {
  try {
    yield* replayEvents(options, plan);
  } catch (error) {
    throw error instanceof DiskError ? unreadable(error) : error;
  }
}

async function readable<Value>(read: () => Promise<Value>): Promise<Value> {
  try {
    return await read();
  } catch (error) {
    throw error instanceof DiskError ? unreadable(error) : error;
  }
}

function unreadable(cause: DiskError): AgentopsdError {
  return new AgentopsdError('ledger_unreadable', `the ledger can't be read: ${cause.message}`, {
    hint: 'see who owns the files: ls -l .agents/daemon/ledger',
    cause,
  });
}

export interface FoldedFiles {
  readonly files: LedgerFiles;
  readonly state: State;
  readonly context: ViewContext;
}

export async function foldLedgerFiles(place: Place, environment: Environment): Promise<FoldedFiles> {
  const files = await openLedgerFiles(place, environment);
  const state = new State();
  for await (const { event, ours } of files.events()) state.apply(event, ours);
  const wallMs = Date.now();
  const { damage, reasons, claimsHeldThroughSeq } = files.plan;
  const context: ViewContext = {
    wallMs,
    rebuiltAt: timestamp(wallMs),
    health: { damage, writable: true, reasons, claimsHeldThroughSeq },
    warnings: () => [],
    noWorkerFor: () => undefined,
    projectionFailure: undefined,
  };
  return { files, state, context };
}

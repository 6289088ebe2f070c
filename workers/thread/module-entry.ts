/**
 * The process of a module: loads it, calls its handler once, tells the result, and is gone. Whatever else the module
 * does, be it that it exits, throws past its promise, runs out of memory or leaves timers behind, ends here.
 *
 * While it lasts it beats from a timer of its event loop: a handler that blocks the loop stops the beat, and loses its
 * lease. What it prints goes through its standard streams to the worker thread, which keeps the output within its limit.
 */
import { BEAT_INTERVAL_MS, type ToMain, type WorkerResult } from '../../lib/model/worker-protocol.js';
import { failureOf } from '../failure.js';
import { openContext } from './job-context.js';
import { loadModule } from './module-loader.js';
import type { FromModule, ModuleTask, ToModule } from './module-protocol.js';
import { keepResult } from './module-result.js';
import { stopReason } from './stopping.js';

const TERMINATED_EXIT = 143;
const ORPHANED_EXIT = 1;

const stopping = new AbortController();
const tell = (message: FromModule, told: () => void = () => {}): void => {
  if (process.connected) process.send?.(message, undefined, undefined, told);
};

process.on('message', (message: ToModule) => {
  if (message.kind === 'stop') stopping.abort(stopReason(message.reason));
  else void run(message.task);
});
// Whoever would take the result is gone: nobody is to find this process at work.
process.on('disconnect', () => process.exit(ORPHANED_EXIT));
// It may have gone before this was read: then nothing tells of it any more.
if (!process.connected) process.exit(ORPHANED_EXIT);
// The polite signal asks the handler; the next one does not.
process.on('SIGINT', () => stopping.abort(stopReason('SIGINT')));
process.on('SIGTERM', () => process.exit(TERMINATED_EXIT));
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
// Two pipes keep no common order; what the system itself says last still comes through the second one.
process.stderr.write = process.stdout.write.bind(process.stdout) as typeof process.stderr.write;

const beat = (): void => tell({ kind: 'beat' });
beat();
setInterval(beat, BEAT_INTERVAL_MS);

async function run(task: ModuleTask): Promise<void> {
  const result = await resultOf(task);
  tell({ kind: 'result', result }, () => process.exit(0));
}

async function resultOf(task: ModuleTask): Promise<WorkerResult> {
  const post = (message: ToMain): void => tell({ kind: 'pass_on', message });
  const output = { write: (text: string | Uint8Array) => void process.stdout.write(text) };
  const { context, artifacts, end } = openContext({ task, output, stopping, post });
  try {
    const handler = await loadModule(task.path);
    await keepResult(await handler(task.job, context), artifacts);
    return { kind: 'completed', artifacts: artifacts.artifacts, artifact_refs: artifacts.artifactRefs };
  } catch (error) {
    return { kind: 'failed', failure: failureOf(error), artifacts: artifacts.artifacts };
  } finally {
    end();
  }
}

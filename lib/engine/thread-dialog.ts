/** What the thread of an attempt says while it works, and what it is answered. */
import type { LeaseHeld } from '../model/command.js';
import { consumerSnapshot } from '../model/consumer-views.js';
import type { ToMain } from '../model/worker-protocol.js';
import type { AttemptSeams } from './attempt-seams.js';
import type { RecordedChild } from './ladder.js';
import type { Lease } from './lease.js';
import type { RunningTask } from './thread-slot.js';
import { answerWorker, type WorkerRequest } from './worker-requests.js';

export interface DialogGround {
  readonly seams: AttemptSeams;
  readonly lease: Lease;
  readonly held: LeaseHeld;
  /** Who asks, as events name it: `worker-2`. */
  readonly actor: string;
  /** Told every process that was started. */
  readonly children: RecordedChild[];
  readonly task: () => Pick<RunningTask, 'post' | 'terminate'> | undefined;
  readonly isStopping: () => boolean;
}

export class ThreadDialog {
  readonly #ground: DialogGround;

  constructor(ground: DialogGround) {
    this.#ground = ground;
  }

  hear(message: ToMain): void {
    const { lease, children } = this.#ground;
    switch (message.kind) {
      case 'child':
        children.push({ pid: message.pid, started: message.started });
        lease.records.touch();
        return;
      case 'artifacts':
        lease.tellArtifacts(message.artifacts);
        return;
      case 'agent_run':
        lease.tellAgentRun(message);
        return;
      case 'progress':
        lease.tellProgress(message.progress);
        return;
      case 'ask_consumer_snapshot':
        this.#tellSnapshot(message.ask);
        return;
      case 'record_lease':
        void this.#recordLease(message.ask);
        return;
      case 'record_event':
      case 'ask_recorded_event':
      case 'ask_open_orders':
      case 'submit_job':
        void this.#answer(message);
    }
  }

  #tellSnapshot(ask: number): void {
    const { kernel } = this.#ground.seams;
    const snapshot = consumerSnapshot(kernel.state, kernel.viewContext());
    this.#ground.task()?.post({ kind: 'consumer_snapshot', ask, snapshot });
  }

  /** A process may start only once the records stand: without them the attempt can't go on. */
  async #recordLease(ask: number): Promise<void> {
    const { lease, task } = this.#ground;
    try {
      await lease.records.write();
      task()?.post({ kind: 'lease_recorded', ask });
    } catch (error) {
      task()?.terminate(`the lease can't be recorded: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  async #answer(request: WorkerRequest): Promise<void> {
    const { seams, held, actor, isStopping, task } = this.#ground;
    const { kernel, clock, random, configuration } = seams;
    const maxAttempts = () => configuration().queue.max_attempts;
    const answer = await answerWorker(request, { kernel, clock, random, maxAttempts, actor, lease: held, isStopping });
    task()?.post(answer);
  }
}

/** The five stages of a dream in their order, and what each needs of those before it. */
import type { BuiltinContext } from '../builtin-context.js';
import type { Checkpoint } from '../kit/stage-checkpoints.js';
import { type Committed, commit } from './commit.js';
import { type Ingested, ingest } from './ingest.js';
import { type Measured, measure } from './measure.js';
import { type Reduced, reduce } from './reduce.js';
import { reduceFurther } from './reduce-agent.js';
import { type DreamReport, report } from './report.js';

export const dreamStages = ['ingest', 'reduce', 'measure', 'commit', 'report'] as const;
export type DreamStage = (typeof dreamStages)[number];

/** What the stages so far came to. */
export interface DreamResults {
  readonly ingest?: Ingested;
  readonly reduce?: Reduced;
  readonly measure?: Measured;
  readonly commit?: Committed;
  readonly report?: DreamReport;
}
export interface DreamGround {
  readonly context: BuiltinContext;
  readonly jobId: string;
  readonly runId: string;
  readonly goal: string | undefined;
  /** The report of the iteration before. */
  readonly earlier: DreamReport | undefined;
}

export async function runStage(stage: DreamStage, ground: DreamGround, done: DreamResults): Promise<unknown> {
  const { context } = ground;
  switch (stage) {
    case 'ingest':
      return ingest(context, ground.jobId);
    case 'reduce': {
      const reduced = await reduce(context, needed(done, 'ingest'));
      return context.agent === undefined ? reduced : reduceFurther(reduced, context.agent, ground.goal, context);
    }
    case 'measure':
      return measure(context, needed(done, 'ingest'), needed(done, 'reduce'));
    case 'commit':
      return commit(context, needed(done, 'ingest'), needed(done, 'reduce'));
    case 'report': {
      const [ingested, reduced] = [needed(done, 'ingest'), needed(done, 'reduce')];
      const [measured, committed] = [needed(done, 'measure'), needed(done, 'commit')];
      return report(ground, { ingested, reduced, measured, committed });
    }
  }
}

function needed<Stage extends DreamStage>(done: DreamResults, stage: Stage): NonNullable<DreamResults[Stage]> {
  const result = done[stage];
  if (result === undefined) throw new Error(`invariant broken: ${stage} comes before what needs it`);
  return result;
}

/** What a checkpoint holds is what its stage came to: its hash says so. */
export function withResult(done: DreamResults, { stage, result }: Checkpoint): DreamResults {
  return { ...done, [stage]: result };
}

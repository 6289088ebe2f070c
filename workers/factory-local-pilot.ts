/**
 * `factory.local-pilot`: a work order tried out. It has to pass what `factory.admission` asks; then it is carried out in a
 * git worktree of its own at its base, by the agent or by its commands, and validated by its validation commands. What it
 * came to is a difference and a verdict: nothing is merged, and the worktree is gone afterwards. A failing pilot is a
 * completed job.
 *
 * Payload: `work_order`, `run_id`, `handoff`: an order whose pilot passed is handed on as an `rpi.run`.
 * Artifacts: those of the admission; of an admitted order `pilot.json` and `diff.patch`, and what the agent left.
 */
import { safeLine } from '../lib/base/text.js';
import type { BuiltinContext, BuiltinHandler } from './builtin-context.js';
import { admit, type Decided, type HandedOn, leaveAdmission, leaveJson } from './factory/admission.js';
import { handOn, readHandoff } from './factory/handoff.js';
import { factoryLimits } from './factory/limits.js';
import { coveredPaths, outside } from './factory/order-paths.js';
import { type PilotDiff, pilotDiff } from './factory/pilot-diff.js';
import { type PilotSteps, refuseUnpilotable, runPilotSteps } from './factory/pilot-steps.js';
import { makePilotPlace, sweepPilots } from './factory/pilot-worktree.js';
import { refuseUnrunnable } from './factory-admission.js';
import { openRepository, type Repository } from './kit/repository.js';

export const factoryLocalPilot: BuiltinHandler = async (job, context) => {
  const handoff = readHandoff(job.payload);
  const decided = await admit(job, context, (order) => {
    refuseUnpilotable(order, context);
    if (handoff !== undefined) refuseUnrunnable(order);
  });
  const repository = await openRepository(context);
  await sweepPilots(repository, context);
  let handedOn: HandedOn | undefined;
  if (decided.allowed) {
    const passed = await pilot(job, decided, repository, context);
    if (passed && handoff !== undefined) handedOn = await handOn(job, decided, handoff, context);
  }
  await leaveAdmission(decided, handedOn, context);
};

/** @returns whether it passed */
async function pilot(
  job: Parameters<BuiltinHandler>[0],
  { order, run_id }: Decided,
  repository: Repository,
  context: BuiltinContext,
): Promise<boolean> {
  const base = order.base_sha;
  if (base === undefined) throw new Error('invariant broken: an admitted order has a base');
  const covered = await coveredPaths(context.root, order.paths, 'payload.work_order.paths');
  const place = await makePilotPlace(job, base, repository, context);
  try {
    const steps = await runPilotSteps(order, place, context);
    const diff = await pilotDiff(base, place, repository, context);
    const outsidePaths = outside(
      covered,
      diff.changes.map(({ path }) => path),
    );
    const why = whyFailed(steps, outsidePaths);
    await context.artifact('diff.patch', diff.patch);
    await leaveJson(context, 'pilot.json', {
      schema_version: 1,
      run_id,
      order_id: order.id,
      base_sha: base,
      verdict: why === undefined ? 'pass' : 'fail',
      why:
        why ??
        (steps.validation.length === 0
          ? 'carried out; nothing was there to validate it with'
          : 'carried out and validated'),
      ...reportOf(steps, diff),
      outside_count: outsidePaths.length,
      outside_paths: outsidePaths.slice(0, factoryLimits.changedPaths),
    });
    context.log(safeLine(`the pilot ${why === undefined ? 'passed' : `failed: ${why}`}`));
    return why === undefined;
  } finally {
    await place.remove();
  }
}

function reportOf({ commands, agent, validation }: PilotSteps, { patch, changes }: PilotDiff): object {
  return {
    carried_out_by: agent?.name ?? 'commands',
    commands,
    ...(agent === undefined ? {} : { agent }),
    validation,
    diff: {
      bytes: patch.length,
      changed_count: changes.length,
      changes: changes.slice(0, factoryLimits.changedPaths),
    },
  };
}

function whyFailed(
  { commands, agent, validation, carriedOut }: PilotSteps,
  outsidePaths: readonly string[],
): string | undefined {
  if (agent?.passed === false) return `${agent.name} did not carry the order out: ${agent.why}`;
  const failed = [...commands, ...validation].find(({ passed }) => !passed);
  if (failed !== undefined) return `${carriedOut ? 'validation' : 'command'} failed: ${failed.command.slice(0, 200)}`;
  return outsidePaths.length === 0 ? undefined : 'it changed what is not among the paths of the order';
}

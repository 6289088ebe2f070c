/** The built-in workers by job type, each loaded when its first job comes. */
import type { BuiltinType } from '../lib/model/builtin-types.js';
import type { BuiltinHandler } from './builtin-context.js';

export const handlers: Readonly<Record<BuiltinType, () => Promise<BuiltinHandler>>> = {
  'rpi.run': async () => (await import('./rpi-run.js')).rpiRun,
  'rpi.phase': async () => (await import('./rpi-phase.js')).rpiPhase,
  'wiki.forge': async () => (await import('./wiki-forge.js')).wikiForge,
  'wiki.build': async () => (await import('./wiki-build.js')).wikiBuild,
  'factory.admission': async () => (await import('./factory-admission.js')).factoryAdmission,
  'factory.local-pilot': async () => (await import('./factory-local-pilot.js')).factoryLocalPilot,
  'dream.run': async () => (await import('./dream-run.js')).dreamRun,
  'dream.stage': async () => (await import('./dream-stage.js')).dreamStage,
  'llmwiki.loop': async () => (await import('./llmwiki-loop.js')).llmwikiLoop,
  'openclaw.snapshot': async () => (await import('./openclaw-snapshot.js')).openclawSnapshot,
  'plans.projection': async () => (await import('./plans-projection.js')).plansProjection,
  'eval.suite': async () => (await import('./eval-suite.js')).evalSuite,
  'eval.skill-delta': async () => (await import('./eval-skill-delta.js')).evalSkillDelta,
};

/** Every mistake there is, one a check. */
import { authMistakes } from './auth.js';
import { cancelMistakes } from './cancel.js';
import { degradedMistakes } from './degraded.js';
import { durableMistakes, syncMistake } from './durable.js';
import { eventMistakes } from './events.js';
import { executeMistakes } from './execute.js';
import { failpointMistake, idempotencyMistakes } from './idempotency.js';
import type { Mistake } from './mistake.js';
import { observeMistakes } from './observe.js';
import { projectMistakes } from './project.js';
import { submitMistakes, validateMistakes } from './submit.js';

export const allMistakes: readonly Mistake[] = [
  observeMistakes,
  eventMistakes,
  degradedMistakes,
  authMistakes,
  submitMistakes,
  validateMistakes,
  idempotencyMistakes,
  failpointMistake,
  durableMistakes,
  syncMistake,
  cancelMistakes,
  executeMistakes,
  projectMistakes,
].flat();

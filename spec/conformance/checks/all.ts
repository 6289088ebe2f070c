/** Every check there is. One list a file; their order here does not matter, that of the catalogue counts. */
import type { Check } from '../check.js';
import { appendChecks } from './enqueue-append.js';
import { authChecks } from './enqueue-auth.js';
import { durableChecks } from './enqueue-durable.js';
import { fuzzChecks } from './enqueue-fuzz.js';
import { idempotencyChecks } from './enqueue-idem.js';
import { lostAckChecks } from './enqueue-lost-ack.js';
import { submitChecks } from './enqueue-submit.js';
import { validateChecks } from './enqueue-validate.js';
import { cancelChecks } from './execute-cancel.js';
import { leaseChecks } from './execute-lease.js';
import { restartChecks } from './execute-restart.js';
import { stateChecks } from './execute-state.js';
import { workChecks } from './execute-work.js';
import { cursorChecks } from './observe-cursor.js';
import { degradedChecks } from './observe-degraded.js';
import { eventChecks } from './observe-events.js';
import { healthChecks } from './observe-health.js';
import { httpChecks } from './observe-http.js';
import { readyChecks } from './observe-ready.js';
import { statusChecks } from './observe-status.js';
import { consumerChecks } from './project-consumer.js';
import { rebuildChecks } from './project-rebuild.js';
import { triggerChecks } from './project-trigger.js';

export const allChecks: readonly Check[] = [
  healthChecks,
  readyChecks,
  statusChecks,
  eventChecks,
  cursorChecks,
  httpChecks,
  degradedChecks,
  consumerChecks,
  triggerChecks,
  rebuildChecks,
  authChecks,
  submitChecks,
  validateChecks,
  fuzzChecks,
  idempotencyChecks,
  lostAckChecks,
  durableChecks,
  appendChecks,
  cancelChecks,
  workChecks,
  stateChecks,
  leaseChecks,
  restartChecks,
].flat();

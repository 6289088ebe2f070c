/** `POST /v1/jobs` and the consumer's trigger: the same envelope, the same queue. */
import { AgentopsdError, type ErrorData, invariant } from '../base/errors.js';
import { readEnvelope } from '../engine/envelope.js';
import { submitCommandOf } from '../engine/submit-command.js';
import type { Outcome } from '../model/command.js';
import type { JobType } from '../model/event.js';
import type { Job } from '../model/job.js';
import { isDegraded, ledgerReasons, projectionLag, triggerAnswer } from '../model/views.js';
import { sendJson, sendText } from './answers.js';
import { actorOf } from './auth.js';
import { readBody } from './body.js';
import type { Handler, HttpService } from './exchange.js';
import { carryOut, contextOf } from './failpoint.js';

const CONFLICT_HEADER = 'Idempotency-Conflict';
const triggerTypes = ['openclaw.snapshot', 'rpi.run', 'dream.run', 'wiki.forge'] as const satisfies readonly JobType[];

export const submit: Handler = async (exchange, service) => {
  service.intake.check();
  const body = readBody(exchange, service);
  // Awaited only where there is something to wait for: a turn later it would miss the batch of this one.
  const read = readEnvelope(body instanceof Promise ? await body : body);
  if (read.refused) throw thrown(read.refused);
  const command = submitCommandOf(read.request, actorOf('ao-http', exchange.caller), service.dependencies);
  const outcome = await carryOut(exchange, service, command);
  const context = contextOf(exchange, service);
  const text = service.submitTexts.text(jobOf(outcome), service.dependencies.kernel.state, context);
  sendText(exchange, 202, 'application/json', text, conflictHeader(outcome));
};

export const trigger: Handler = async (exchange, service) => {
  checkReady(service);
  service.intake.check();
  const read = readEnvelope(await readBody(exchange, service), { allowedTypes: triggerTypes });
  if (read.refused) throw thrown(read.refused);
  const command = submitCommandOf(read.request, actorOf('openclaw-trigger', exchange.caller), service.dependencies);
  const outcome = await carryOut(exchange, service, command);
  const answer = triggerAnswer(jobOf(outcome), service.dependencies.kernel.state, contextOf(exchange, service));
  sendJson(exchange, 202, answer, conflictHeader(outcome));
};

/** A consumer is told what it would see only while that is the whole truth. */
function checkReady({ dependencies: { kernel } }: HttpService): void {
  const context = kernel.viewContext();
  if (!isDegraded(context.health)) return;
  const degraded_reasons = ledgerReasons(context.health);
  const details = { projection_lag: projectionLag(kernel.state, context), degraded_reasons };
  throw new AgentopsdError('not_ready', 'daemon is not ready', { details });
}

function conflictHeader({ conflict }: Outcome): Record<string, string> | undefined {
  return conflict === undefined ? undefined : { [CONFLICT_HEADER]: conflict };
}

export function jobOf(outcome: Outcome): Job {
  invariant(outcome.job !== undefined, 'an accepted job is in the state');
  return outcome.job;
}

/** A refusal as the error that the server answers with. */
export function thrown({ code, message, hint, details }: ErrorData): AgentopsdError {
  return new AgentopsdError(code, message, {
    ...(hint === undefined ? {} : { hint }),
    ...(details === undefined ? {} : { details }),
  });
}

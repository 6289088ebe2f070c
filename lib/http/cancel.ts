/** `POST /v1/jobs/cancel` names the job in the body, `POST /v1/jobs/{id}/cancel` in the path. */
import { whyNotCanonical } from '../base/canonical.js';
import { timestamp } from '../base/clock.js';
import { AgentopsdError, invariant } from '../base/errors.js';
import type { JsonObject } from '../base/json.js';
import { readJobId, readJsonObject, readRequestId, refusalBy } from '../engine/envelope.js';
import { loadContract } from '../engine/schemas.js';
import type { CancelCommand } from '../model/command.js';
import { cancelAnswer } from '../model/views.js';
import { sendJson } from './answers.js';
import { actorOf } from './auth.js';
import { readBody } from './body.js';
import type { Exchange, Handler, HttpService } from './exchange.js';
import { carryOut, contextOf } from './failpoint.js';
import { jobOf, thrown } from './submit.js';

const DEFAULT_REASON = 'cancelled';

export const cancelByBody: Handler = async (exchange, service) => {
  const body = readObject(await readBody(exchange, service), 'CancelRequest');
  const jobId = jobIdIn(body['job_id']);
  if (jobId === undefined) throw invalid('job_id is blank; name the job to cancel');
  await cancel(exchange, service, jobId, body);
};

export const cancelByPath: Handler = async (exchange, service) => {
  const bytes = await readBody(exchange, service);
  const body = bytes.length === 0 ? {} : readObject(bytes, 'CancelPathRequest');
  const jobId = jobIdIn(exchange.parameters['id']);
  if (jobId === undefined) throw invalid('the path names no job; write /v1/jobs/{job_id}/cancel');
  const inBody = jobIdIn(body['job_id']);
  if (inBody !== undefined && inBody !== jobId)
    throw invalid('job_id in the body is another job than the one in the path');
  await cancel(exchange, service, jobId, body);
};

async function cancel(exchange: Exchange, service: HttpService, jobId: string, body: JsonObject): Promise<void> {
  const command = cancelCommand(exchange, service, jobId, body);
  const outcome = await carryOut(exchange, service, command);
  const context = contextOf(exchange, service);
  const job = jobOf(outcome);
  invariant(outcome.cancelOutcome !== undefined, 'a cancel that is not refused has an outcome');
  sendJson(exchange, 202, cancelAnswer(job, outcome.cancelOutcome, service.dependencies.kernel.state, context));
}

function cancelCommand(
  exchange: Exchange,
  { dependencies }: HttpService,
  jobId: string,
  body: JsonObject,
): CancelCommand {
  const requestId = readRequestId(body['request_id']);
  if (requestId.refused) throw thrown(requestId.refused);
  return {
    kind: 'cancel',
    actor: actorOf('ao-http', exchange.caller),
    occurredAt: timestamp(dependencies.clock.wallMs()),
    job_id: jobId,
    request_id: requestId.text,
    reason: readReason(body['reason']),
  };
}

function readReason(value: unknown): string {
  const reason = typeof value === 'string' ? value.trim() : '';
  const why = whyNotCanonical(reason, 'reason');
  if (why !== undefined) throw invalid(why);
  return reason === '' ? DEFAULT_REASON : reason;
}

function readObject(bytes: Buffer, schemaName: string): JsonObject {
  const read = readJsonObject(bytes);
  if (read.refused) throw thrown(read.refused);
  const refused = refusalBy(loadContract().validator(schemaName), read.object);
  if (refused !== undefined) throw thrown(refused);
  return read.object;
}

function jobIdIn(value: unknown): string | undefined {
  const read = readJobId(value);
  if (read.refused) throw thrown(read.refused);
  return read.text;
}

function invalid(message: string): AgentopsdError {
  return new AgentopsdError('invalid_request', message);
}

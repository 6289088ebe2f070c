/**
 * `POST /v1/adopt`, an addition of ours: takes over jobs that came with the ledger from elsewhere, and records that known
 * damage is accepted, so that work goes on.
 */
import { timestamp } from '../base/clock.js';
import { AgentopsdError } from '../base/errors.js';
import { randomHex } from '../base/random.js';
import { readJsonObject, refusalBy } from '../engine/envelope.js';
import { loadContract } from '../engine/schemas.js';
import type { components } from '../model/contract.js';
import { isTerminal, type Job } from '../model/job.js';
import { queueJobView } from '../model/job-views.js';
import type { State } from '../model/state.js';
import { readyView } from '../model/views.js';
import { adoptionPayload } from '../storage/condition.js';
import { sendJson } from './answers.js';
import { actorOf } from './auth.js';
import { readBody } from './body.js';
import type { Exchange, Handler, HttpService } from './exchange.js';
import { carryOut } from './failpoint.js';
import { thrown } from './submit.js';

type AdoptRequest = components['schemas']['AdoptRequest'];
type AdoptAnswer = components['schemas']['AdoptAnswer'];

const REQUEST_ID_BYTES = 12;

export const adopt: Handler = async (exchange, service) => {
  const request = readRequest(await readBody(exchange, service));
  const jobs = jobsOf(request, service);
  const damageAdopted = request.damage === true ? await adoptDamage(exchange, service) : 0;
  const adopted: Job[] = [];
  for (const job of jobs) adopted.push(...(await adoptJob(exchange, service, job)));
  sendJson(exchange, 202, answer(service, adopted, damageAdopted));
};

function readRequest(bytes: Buffer): AdoptRequest {
  const read = readJsonObject(bytes);
  if (read.refused) throw thrown(read.refused);
  const refused = refusalBy(loadContract().validator('AdoptRequest'), read.object);
  if (refused !== undefined) throw thrown(refused);
  const request = read.object as AdoptRequest;
  if (request.all !== true && request.damage !== true && (request.job_ids ?? []).length === 0) {
    throw new AgentopsdError(
      'invalid_request',
      'nothing to adopt is named; give job_ids, or all: true, or damage: true',
    );
  }
  return request;
}

/** The named jobs, or with `all` each foreign one that has not ended. @throws AgentopsdError `unknown_job` */
function jobsOf({ all, job_ids }: AdoptRequest, { dependencies: { kernel } }: HttpService): Job[] {
  const named = [...new Set(job_ids ?? [])].map((jobId) => {
    const job = kernel.state.job(jobId);
    if (job === undefined) throw new AgentopsdError('unknown_job', `there is no job ${jobId}`);
    return job;
  });
  const wanted = all === true ? foreignJobs(kernel.state) : named;
  return wanted.filter((job) => job.foreign && !isTerminal(job));
}

function foreignJobs(state: State): Job[] {
  return [...state.foreign()].flatMap((jobId) => state.job(jobId) ?? []);
}

/** The job as it stands after its adoption; none when there was nothing to do by then. */
async function adoptJob(exchange: Exchange, service: HttpService, { job_id }: Job): Promise<Job[]> {
  const outcome = await carryOut(exchange, service, { kind: 'adopt', ...asked(exchange, service), job_id });
  return outcome.job === undefined || outcome.appended === 0 ? [] : [outcome.job];
}

/** Answers how many records of damage were accepted. */
async function adoptDamage(exchange: Exchange, service: HttpService): Promise<number> {
  const { kernel, random } = service.dependencies;
  const { damage } = kernel.ledger.health();
  if (damage.length === 0) return 0;
  await carryOut(exchange, service, {
    kind: 'adopt_damage',
    ...asked(exchange, service),
    request_id: `req_${randomHex(random, REQUEST_ID_BYTES)}`,
    payload: adoptionPayload(damage),
  });
  return damage.length;
}

function asked({ caller }: Exchange, { dependencies: { clock } }: HttpService) {
  return { actor: actorOf('ao-http', caller), occurredAt: timestamp(clock.wallMs()) };
}

function answer(
  { dependencies: { kernel } }: HttpService,
  adopted: readonly Job[],
  damageAdopted: number,
): AdoptAnswer {
  const context = kernel.viewContext();
  const { projection_status, projection_lag, degraded_reasons } = readyView(kernel.state, context);
  return {
    adopted: adopted.map((job) => queueJobView(job, context)),
    damage_adopted: damageAdopted,
    projection_status,
    projection_lag,
    ...(degraded_reasons === undefined ? {} : { degraded_reasons }),
  };
}

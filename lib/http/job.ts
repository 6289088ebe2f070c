/** `GET /v1/jobs/{id}`: one job, as the queue shows it. */
import { AgentopsdError } from '../base/errors.js';
import type { Job } from '../model/job.js';
import { queueJobView } from '../model/views.js';
import { sendJson } from './answers.js';
import type { Exchange, Handler, HttpService } from './exchange.js';

export const job: Handler = (exchange, service) => {
  sendJson(exchange, 200, queueJobView(namedJob(exchange, service), service.dependencies.kernel.viewContext()));
};

/** The job that the path names. @throws AgentopsdError `unknown_job` */
export function namedJob({ parameters }: Exchange, { dependencies: { kernel } }: HttpService): Job {
  const jobId = parameters['id'] ?? '';
  const found = kernel.state.job(jobId) ?? kernel.state.job(jobId.trim());
  if (found === undefined) throw new AgentopsdError('unknown_job', `there is no job ${jobId}`);
  return found;
}

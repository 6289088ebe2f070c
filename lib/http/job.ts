/** `GET /v1/jobs/{id}`: one job, as the queue shows it, with what its agents did and how far it is. */
import { AgentopsdError } from '../base/errors.js';
import type { Job } from '../model/job.js';
import { jobDetailView } from '../model/job-views.js';
import { sendJson } from './answers.js';
import type { Exchange, Handler, HttpService } from './exchange.js';

export const job: Handler = (exchange, service) => {
  const { kernel, progressOf } = service.dependencies;
  const found = namedJob(exchange, service);
  sendJson(exchange, 200, jobDetailView(found, kernel.viewContext(), progressOf?.(found.job_id)));
};

/** The job that the path names. @throws AgentopsdError `unknown_job` */
export function namedJob({ parameters }: Exchange, { dependencies: { kernel } }: HttpService): Job {
  const jobId = parameters['id'] ?? '';
  const found = kernel.state.job(jobId) ?? kernel.state.job(jobId.trim());
  if (found === undefined) throw new AgentopsdError('unknown_job', `there is no job ${jobId}`);
  return found;
}

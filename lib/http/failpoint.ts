/**
 * Faults on request, for conformance runs alone: without `--enable-failpoints` the header is ignored. They stand around
 * the one place where a mutation meets the kernel.
 */
import { AgentopsdError } from '../base/errors.js';
import type { Command, Outcome } from '../model/command.js';
import type { ViewContext } from '../model/view-context.js';
import type { Exchange, HttpService } from './exchange.js';

const failpoints = ['before_append', 'after_append_before_ack', 'projection_rebuild'] as const;
type Failpoint = (typeof failpoints)[number];

/** Carries a command out and answers with what came of it. @throws AgentopsdError as the kernel does */
export function carryOut(exchange: Exchange, service: HttpService, command: Command): Promise<Outcome> {
  const { kernel } = service.dependencies;
  const failpoint = failpointOf(exchange, service);
  if (failpoint === 'before_append') throw failed('before the append: nothing was written');
  const carried = service.intake.inTime(exchange, kernel.execute(command));
  if (failpoint !== 'after_append_before_ack') return carried;
  return carried.then(() => {
    throw failed('after the append: it may have been written');
  });
}

/** What the views of the answer are made with. */
export function contextOf(exchange: Exchange, service: HttpService): ViewContext {
  const context = service.dependencies.kernel.viewContext();
  if (failpointOf(exchange, service) !== 'projection_rebuild') return context;
  return { ...context, projectionFailure: 'failpoint projection_rebuild: the read model was not rebuilt' };
}

function failpointOf({ request }: Exchange, { dependencies }: HttpService): Failpoint | undefined {
  if (!dependencies.failpoints) return undefined;
  const asked = request.headers['x-agentops-failpoint'];
  if (asked === undefined) return undefined;
  const known = failpoints.find((name) => name === asked);
  if (known === undefined)
    throw new AgentopsdError('invalid_request', `X-AgentOps-Failpoint must be one of ${failpoints.join(', ')}`);
  return known;
}

function failed(where: string): AgentopsdError {
  return new AgentopsdError('outcome_unknown', `failpoint ${where}; ask again with the same idempotency_key`);
}

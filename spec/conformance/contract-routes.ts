/** Which answers v0 declares for which route. */
import type { Level } from './catalogue.js';
import type { SchemaName } from './contract-schemas.js';

export interface Route {
  /** Where it is claimed. */
  readonly level: Level;
  readonly method: 'GET' | 'POST';
  readonly success: number;
  readonly schema: SchemaName;
  readonly refusals: readonly number[];
}

const read = (level: Level, schema: SchemaName, refusals: readonly number[] = [500]): Route => ({
  level,
  method: 'GET',
  success: 200,
  schema,
  refusals,
});
const write = (level: Level, schema: SchemaName, refusals: readonly number[]): Route => ({
  level,
  method: 'POST',
  success: 202,
  schema,
  refusals,
});

const core: Readonly<Record<string, Route>> = {
  '/health': read('observe', 'Health', []),
  '/ready': read('observe', 'Ready'),
  '/status': read('observe', 'Status'),
  '/events': read('observe', 'Events', [400, 500]),
  '/jobs': write('enqueue', 'Submit', [400, 403, 413, 415, 500, 503]),
  '/jobs/cancel': write('execute', 'Cancel', [400, 403, 404, 413, 415, 500, 503]),
};
const consumer: Readonly<Record<string, Route>> = {
  '/health': read('project', 'ConsumerHealth'),
  '/snapshot/latest': read('project', 'ConsumerSnapshot'),
  '/runs': read('project', 'ConsumerRuns'),
  '/jobs': read('project', 'ConsumerJobs'),
  '/wiki': read('project', 'ConsumerWiki'),
  '/triggers/jobs': write('project', 'Trigger', [400, 403, 413, 415, 500, 503]),
};

export const readPaths = ['/v1/health', '/v1/ready', '/v1/status', '/v1/events'] as const;
export const consumerReads = ['/health', '/snapshot/latest', '/runs', '/jobs', '/wiki'] as const;

/**
 * The route that a path stands for; undefined for what v0 knows nothing of.
 * @param consumerBase such as `/openclaw/v1`
 */
export function routeFor(path: string, consumerBase: string): Route | undefined {
  if (path.startsWith(`${consumerBase}/`)) return consumer[path.slice(consumerBase.length)];
  const route = path.startsWith('/v1/') ? core[path.slice(3)] : core[path];
  if (route !== undefined) return route;
  return /^\/v1\/jobs\/[^/]+\/cancel$/.test(path) ? core['/jobs/cancel'] : undefined;
}

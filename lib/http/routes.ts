/**
 * The one table of routes. The server, the methods that a path allows, what a caller's token must allow and the test
 * against the document are all made from it. A path without braces wins over one with: `/v1/jobs/cancel` is the cancel
 * route for every method.
 */
import { adopt } from './adopt.js';
import { cancelByBody, cancelByPath } from './cancel.js';
import { document } from './document.js';
import { events } from './events.js';
import type { Route } from './exchange.js';
import { job } from './job.js';
import { metrics } from './metrics.js';
import { jobLog } from './run-log.js';
import { submit, trigger } from './submit.js';
import {
  consumerHealthView,
  consumerJobsView,
  consumerRunsView,
  consumerSnapshotView,
  consumerWikiView,
  health,
  ready,
  status,
} from './views.js';

export const routes: readonly Route[] = Object.freeze([
  { path: '/v1/health', alias: '/health', method: 'GET', operationId: 'getHealth', handler: health },
  { path: '/v1/ready', alias: '/ready', method: 'GET', operationId: 'getReady', handler: ready },
  { path: '/v1/status', alias: '/status', method: 'GET', operationId: 'getStatus', handler: status },
  { path: '/v1/events', alias: '/events', method: 'GET', operationId: 'getEvents', handler: events },
  {
    path: '/v1/jobs',
    alias: '/jobs',
    method: 'POST',
    operationId: 'submitJob',
    capability: 'submit_job',
    handler: submit,
  },
  {
    path: '/v1/jobs/cancel',
    alias: '/jobs/cancel',
    method: 'POST',
    operationId: 'cancelJob',
    capability: 'cancel_job',
    handler: cancelByBody,
  },
  { path: '/v1/jobs/{id}', method: 'GET', operationId: 'getJob', handler: job },
  {
    path: '/v1/jobs/{id}/cancel',
    method: 'POST',
    operationId: 'cancelJobByPath',
    capability: 'cancel_job',
    handler: cancelByPath,
  },
  { path: '/v1/jobs/{id}/log', method: 'GET', operationId: 'getJobLog', handler: jobLog },
  { path: '/v1/adopt', method: 'POST', operationId: 'adopt', capability: 'admin', handler: adopt },
  { path: '/openclaw/v1/health', method: 'GET', operationId: 'getConsumerHealth', handler: consumerHealthView },
  {
    path: '/openclaw/v1/snapshot/latest',
    method: 'GET',
    operationId: 'getConsumerSnapshot',
    handler: consumerSnapshotView,
  },
  { path: '/openclaw/v1/runs', method: 'GET', operationId: 'getConsumerRuns', handler: consumerRunsView },
  { path: '/openclaw/v1/jobs', method: 'GET', operationId: 'getConsumerJobs', handler: consumerJobsView },
  { path: '/openclaw/v1/wiki', method: 'GET', operationId: 'getConsumerWiki', handler: consumerWikiView },
  {
    path: '/openclaw/v1/triggers/jobs',
    method: 'POST',
    operationId: 'triggerJob',
    capability: 'openclaw_trigger',
    handler: trigger,
  },
  { path: '/spec/jobspec/v0/openapi.yaml', method: 'GET', operationId: 'getDocument', handler: document },
  { path: '/metrics', method: 'GET', operationId: 'getMetrics', handler: metrics },
] satisfies Route[]);

/** Every path that is served, with the routes that share it: those without braces first. */
export function routesByPath(): [string, Route[]][] {
  const byPath = new Map<string, Route[]>();
  for (const route of routes) {
    for (const path of route.alias === undefined ? [route.path] : [route.path, route.alias]) {
      byPath.set(path, [...(byPath.get(path) ?? []), route]);
    }
  }
  return [...byPath].sort(([one], [other]) => Number(one.includes('{')) - Number(other.includes('{')));
}

/** The methods of a path, as `Allow` lists them. */
export function allowedMethods(sharing: readonly Route[]): string {
  return [...new Set(sharing.flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method])))].join(', ');
}

/** Matches the raw path; a part in braces is one segment, still encoded, and may hold an encoded `/`. */
export function patternOf(path: string): RegExp {
  const source = path
    .split(/\{(\w+)\}/)
    .map((part, at) => (at % 2 === 1 ? `(?<${part}>[^/]+)` : part.replace(/[.]/g, '\\.')));
  return new RegExp(`^${source.join('')}$`);
}

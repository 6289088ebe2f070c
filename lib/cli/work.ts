/** The work of each verb, by its name: loaded when it is asked for, so that help loads nothing of a daemon. */
import type { Perform } from './invocation.js';

export const work: Readonly<Record<string, () => Promise<{ readonly perform: Perform }>>> = {
  status: () => import('./verbs/status.js'),
  init: () => import('./verbs/init.js'),
  run: () => import('./verbs/run.js'),
  submit: () => import('./verbs/submit.js'),
  wait: () => import('./verbs/wait.js'),
  logs: () => import('./verbs/logs.js'),
  cancel: () => import('./verbs/cancel.js'),
  jobs: () => import('./verbs/jobs.js'),
  show: () => import('./verbs/show.js'),
  events: () => import('./verbs/events.js'),
  verify: () => import('./verbs/verify.js'),
  adopt: () => import('./verbs/adopt.js'),
  trust: () => import('./verbs/trust.js'),
  doctor: () => import('./verbs/doctor.js'),
  completion: () => import('./verbs/completion.js'),
  help: () => import('./verbs/help.js'),
};

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { WorkerTask } from '../../../lib/model/worker-protocol.js';
import { childEnvironment, DEFAULT_PATH } from '../../../workers/process/environment.js';

const test = suite('environment');
const task = {
  job: { job_id: 'j', job_type: 'rpi.run', attempt: 2 },
  claim: { claim_token: 'c', lease_epoch: 3, marker: 'm' },
  runDir: '/run',
} as unknown as WorkerTask;
const own = {
  AGENTOPS_JOB_ID: 'j',
  AGENTOPS_JOB_TYPE: 'rpi.run',
  AGENTOPS_ATTEMPT: '2',
  AGENTOPS_LEASE_EPOCH: '3',
  AGENTOPS_CLAIM: 'c',
  AGENTOPS_RUN_DIR: '/run',
  AGENTOPS_LEASE_MARKER: 'm',
};

test('nothing but the usual names passes, and a path is always there', () => {
  const source = {
    HOME: '/h',
    LC_ALL: 'C',
    LC: 'no',
    SECRET: 's',
    AGENTOPSD_TOKEN: 't',
    AGENTOPS_DAEMON_TOKEN: 't',
    NODE_OPTIONS: 'x',
  };
  assert.equal(childEnvironment(task, { source }), { PATH: DEFAULT_PATH, HOME: '/h', LC_ALL: 'C', ...own });
});

test('named ones pass, absent ones are left out, the tokens never pass', () => {
  const source = { PATH: '/bin', KEY: 'k', AGENTOPSD_TOKEN: 't', AGENTOPS_JOB_ID: 'of another' };
  const passEnv = ['KEY', 'ABSENT', 'AGENTOPSD_TOKEN', 'AGENTOPS_DAEMON_TOKEN', 'AGENTOPS_JOB_ID'];
  assert.equal(childEnvironment(task, { source, passEnv }), { PATH: '/bin', KEY: 'k', ...own });
});

test('what is set wins over what passes, our own over everything', () => {
  const env = { HOME: '/mine', AGENTOPS_CLAIM: 'forged', AGENTOPS_LEASE_MARKER: 'forged', AGENTOPSD_TOKEN: 't' };
  assert.equal(childEnvironment(task, { source: { PATH: '/bin', HOME: '/h' }, env }), {
    PATH: '/bin',
    HOME: '/mine',
    ...own,
  });
});

test.run();

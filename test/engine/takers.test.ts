import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { takerOf } from '../../lib/engine/takers.js';
import { builtinTypes } from '../../lib/model/builtin-types.js';
import { defaultConfiguration, type Executor } from '../../lib/model/configuration.js';
import { type JobType, jobTypes } from '../../lib/model/event.js';

const takers = suite('takers');

const withExecutor = (jobType: JobType, executor: Executor) => ({
  ...defaultConfiguration(),
  executors: { [jobType]: executor },
});

takers(
  'without an entry the built-in worker takes its types, nobody the others, and the message names the line',
  () => {
    for (const jobType of jobTypes) {
      const taker = takerOf(jobType, defaultConfiguration(), '/r');
      if ((builtinTypes as readonly string[]).includes(jobType))
        assert.equal(taker, { executor: { kind: 'builtin', allowPayloadCommands: false } });
      else assert.match(taker.nobody ?? '', new RegExp(`executors: \\{ ${jobType.replace('.', '\\.')}: `));
    }
  },
);

takers('a command in milliseconds, a module as an absolute path', () => {
  const command: Executor = { kind: 'command', command: ['a', 'b'], env: ['X'], timeout_seconds: 2, idle_seconds: 1 };
  assert.equal(takerOf('rpi.run', withExecutor('rpi.run', command), '/r').nobody, undefined);
  assert.equal(takerOf('rpi.run', withExecutor('rpi.run', command), '/r'), {
    executor: { kind: 'command', command: ['a', 'b'], env: ['X'], timeoutMs: 2000, idleMs: 1000 },
  });
  assert.equal(
    takerOf(
      'wiki.forge',
      withExecutor('wiki.forge', { kind: 'module', module: './tools/x.mjs', timeout_seconds: 9 }),
      '/r',
    ),
    {
      executor: { kind: 'module', path: '/r/tools/x.mjs', timeoutMs: 9000 },
    },
  );
});

takers('off, untrusted and an agent that nobody can drive say why', () => {
  const why = (executor: Executor) => takerOf('wiki.forge', withExecutor('wiki.forge', executor), '/r').nobody ?? '';
  assert.match(why({ kind: 'off', why: 'configured' }), 'says off');
  assert.match(why({ kind: 'off', why: 'untrusted' }), 'agentopsd trust');
  assert.match(why({ kind: 'agent', agent: 'oracle' }), 'the agent oracle');
});

takers('a known agent goes to the built-in worker, with its time limits', () => {
  const taker = takerOf('wiki.forge', withExecutor('wiki.forge', { kind: 'agent', agent: 'claude' }), '/r');
  assert.is(taker.nobody, undefined);
  assert.match(JSON.stringify(taker), /"kind":"builtin","agent":\{"name":"claude","command":\["claude"\]/);
});

takers.run();

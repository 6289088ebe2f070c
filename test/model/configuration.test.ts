import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parse } from 'yaml';
import { limits } from '../../lib/base/limits.js';
import { type Configuration, defaultConfiguration, parseConfiguration } from '../../lib/model/configuration.js';

const test = suite('configuration');
const template = readFileSync(new URL('../../../.agents-template/config.yaml', import.meta.url), 'utf8');

function whole(text: string): Configuration {
  const { configuration, problems } = parseConfiguration(text);
  assert.equal(problems, []);
  return configuration as Configuration;
}
const told = (text: string): string[] =>
  parseConfiguration(text, 'config.yaml').problems.map((problem) => problem.text);
/** The one problem of a text. */
function only(text: string): string {
  const problems = told(text);
  assert.is(problems.length, 1, problems.join('\n'));
  return problems[0] as string;
}

test('nothing, comments and null sections are all defaults', () => {
  for (const text of [
    '',
    '# only a comment\n',
    '---\n',
    'queue:\nexecutors:\n  # rpi.run: off\nagents:\nlimits:\n',
    '{}',
  ]) {
    assert.equal(whole(text), defaultConfiguration(), text);
  }
  assert.is(defaultConfiguration().workers, 4);
});

test('the template says every key, at its default, each with a comment', () => {
  assert.equal(whole(template), defaultConfiguration());
  const written = parse(template) as Record<string, object | null>;
  const { declared: _, ...known } = defaultConfiguration();
  assert.equal(Object.keys(written).sort(), Object.keys(known).sort());
  for (const section of ['queue', 'http', 'limits'] as const) {
    assert.equal(Object.keys(written[section] ?? {}).sort(), Object.keys(known[section]).sort(), section);
  }
  const lines = template.split('\n');
  for (const [at, line] of lines.entries()) {
    if (/^\s*[a-z_]+:/.test(line))
      assert.match(lines[at - 1] ?? '', /^\s*#|^(queue|http|limits):$|^$/, `a comment before: ${line}`);
    if (/^\s+[a-z_]+:/.test(line)) assert.match(lines[at - 1] ?? '', /^\s+#/, `a comment before: ${line}`);
  }
});

test('the commented examples of the template are valid', () => {
  const text = template
    .replace(/^ {2}# ((?:rpi\.run|wiki\.forge|eval\.suite|dream\.run|claude):.*)$/gm, '  $1')
    .replace(/^ {2}# {3}(command|env):/gm, '    $1:');
  const { executors, agents } = whole(text);
  assert.equal(Object.keys(executors), ['rpi.run', 'wiki.forge', 'eval.suite', 'dream.run']);
  assert.equal(Object.keys(agents), ['claude']);
});

test('every kind of executor, with its defaults', () => {
  const { executors, agents, declared } = whole(
    [
      'executors:',
      '  rpi.run: { agent: mine }',
      '  wiki.forge: { command: [node, tools/forge.mjs, ""], timeout_seconds: 1800, idle_seconds: 300, env: [A] }',
      '  wiki.build: { command: [make] }',
      '  eval.suite: { module: ./tools/eval.mjs }',
      '  dream.run: off',
      '  dream.stage: false',
      'agents: { mine: { command: [mine, -p] } }',
      'allow_payload_commands: true',
    ].join('\n'),
  );
  assert.equal(executors, {
    'rpi.run': { kind: 'agent', agent: 'mine' },
    'wiki.forge': {
      kind: 'command',
      command: ['node', 'tools/forge.mjs', ''],
      timeout_seconds: 1800,
      idle_seconds: 300,
      env: ['A'],
    },
    'wiki.build': { kind: 'command', command: ['make'], timeout_seconds: 3600, idle_seconds: 900, env: [] },
    'eval.suite': { kind: 'module', module: './tools/eval.mjs', timeout_seconds: 3600 },
    'dream.run': { kind: 'off', why: 'configured' },
    'dream.stage': { kind: 'off', why: 'configured' },
  });
  assert.equal(agents, { mine: { command: ['mine', '-p'], env: [], timeout_seconds: 3600, idle_seconds: 900 } });
  assert.equal(declared.executors['wiki.build'], { command: ['make'] });
  assert.is(declared.allow_payload_commands, true);
});

test('an unknown key is told with its line and the nearest right one', () => {
  assert.is(only('# hello\nworker: 3\n'), 'config.yaml:2:1: unknown key "worker"; did you mean "workers"?');
  assert.is(
    only('queue:\n  lease_second: 3\n'),
    'config.yaml:2:3: unknown key "lease_second" in queue; did you mean "lease_seconds"?',
  );
  assert.match(only('zzz: 1'), /unknown key "zzz"; known: workers, queue/);
  assert.is(
    only('executors:\n  wiki.forg: off\n'),
    'config.yaml:2:3: unknown job type "wiki.forg" in executors; did you mean "wiki.forge"?',
  );
  assert.match(
    only('executors:\n  rpi.run:\n    command: [x]\n    timeout: 3\n'),
    /:4:5: unknown key "timeout" in executors\.rpi\.run/,
  );
  assert.match(only('executors: { rpi.run: { agent: claud } }'), /unknown agent "claud"; did you mean "claude"\?/);
  assert.match(
    only('agents: { claude: { comand: [x], command: [y] } }'),
    /unknown key "comand" in agents\.claude; did you mean "command"\?/,
  );
});

test('a value of the wrong kind is told with its place', () => {
  assert.is(only('workers: many'), 'config.yaml:1:10: workers must be an integer');
  assert.is(only('workers: 1.5'), 'config.yaml:1:10: workers must be an integer');
  assert.is(only('workers: -1'), 'config.yaml:1:10: workers must be >= 0');
  assert.is(only('workers: 1000'), 'config.yaml:1:10: workers must be <= 256');
  assert.is(only('queue: 5'), 'config.yaml:1:8: queue must be a mapping');
  assert.is(only('http:\n  reads: closed'), 'config.yaml:2:10: http.reads must be one of open, token');
  assert.is(only('http: { allowed_hosts: [5] }'), 'config.yaml:1:25: http.allowed_hosts[0] must be a string');
  assert.is(
    only('executors: { rpi.run: { command: [] } }'),
    'config.yaml:1:34: executors.rpi.run.command must hold at least 1',
  );
  assert.is(
    only('executors: { rpi.run: { command: make all } }'),
    'config.yaml:1:34: executors.rpi.run.command must be a list',
  );
  assert.match(only('executors: { rpi.run: yes }'), /must be \{ agent: NAME \}/);
  assert.match(only('executors: { rpi.run: { agent: claude, command: [x] } }'), /must be \{ agent: NAME \}/);
  assert.match(only('agents: { x: {} }'), /agents\.x needs the key "command"/);
  assert.match(only('limits: { output_bytes: 10 }'), /output_bytes must be >= 4096/);
  assert.match(only('[1, 2]'), /must be a mapping/);
  assert.match(only('just words'), /must be a mapping/);
});

test('times keep a lease alive', () => {
  assert.match(only('queue: { lease_seconds: 0.5 }'), /lease_seconds must be >= 1/);
  assert.match(
    only('queue:\n  lease_seconds: 10\n  heartbeat_seconds: 6\n'),
    /config\.yaml:3:22: .*at most half of queue\.lease_seconds \(10\)/,
  );
  assert.match(only('queue: { heartbeat_seconds: 31 }'), /\(60\)/);
  assert.is(whole('queue: { lease_seconds: 10, heartbeat_seconds: 5 }').queue.heartbeat_seconds, 5);
  assert.is(whole('queue: { lease_seconds: 2 }').queue.heartbeat_seconds, 0.5);
  assert.match(only('queue: { drain_seconds: 99999999 }'), /<= 604800/);
  assert.match(only('queue: { cancel_grace_seconds: .inf }'), /cancel_grace_seconds/);
});

test('a module stays inside the root, an origin has no path', () => {
  for (const path of ['/etc/x.mjs', '../x.mjs', 'a/../../x.mjs', '.']) {
    assert.match(only(`executors: { eval.suite: { module: "${path}" } }`), /inside the repository/, path);
  }
  assert.ok(whole('executors: { eval.suite: { module: "a/../x.mjs" } }'));
  for (const origin of ['http://localhost:3000/', 'localhost', 'http://x/y', 'null']) {
    assert.match(only(`http: { allowed_origins: ["${origin}"] }`), /takes origins/, origin);
  }
  assert.ok(whole('http: { allowed_origins: ["http://localhost:3000"] }'));
});

test('broken YAML is told with its line', () => {
  assert.match(told('workers: 4\nqueue: [\n')[0] ?? '', /^config\.yaml:\d+:\d+: /);
  assert.match(told('workers: 4\nworkers: 5\n')[0] ?? '', /^config\.yaml:2:1: /);
  assert.match(told('workers: !run 4\n')[0] ?? '', /^config\.yaml:1:/);
  assert.match(told('a: 1\n---\nb: 2\n')[0] ?? '', /^config\.yaml:/);
  assert.match(told('\tworkers: 4\n')[0] ?? '', /^config\.yaml:1:/);
});

test('a file that grows while it is read is refused, not followed', () => {
  const layers = Array.from(
    { length: 12 },
    (_, at) => `a${at + 1}: &a${at + 1} [${Array(10).fill(`*a${at}`).join(', ')}]`,
  );
  assert.ok(told(['a0: &a0 [1]', ...layers].join('\n')).length > 0);
});

test('what has no canonical form is refused: two texts could share one trust', () => {
  assert.match(only('executors: { wiki.forge: { command: [x, "\\ud800"] } }'), /lone surrogate/);
});

test('several mistakes come in the order of their lines', () => {
  const problems = told('limits: { x: 1 }\nworkers: x\nqueue:\n  y: 2\n  lease_seconds: 0\n');
  assert.equal(
    problems.map((text) => text.split(':')[1]),
    ['1', '2', '4', '5'],
  );
});

test('a configuration is frozen to the bottom', () => {
  const configuration = whole('executors: { rpi.run: { command: [x] } }');
  assert.throws(() => Object.assign(configuration.queue, { lease_seconds: 1 }));
  const executor = configuration.executors['rpi.run'];
  assert.ok(executor?.kind === 'command');
  assert.throws(() => (executor.command as string[]).push('y'));
});

test('limits.configuredWorkers and configuredSeconds: the most that can be configured', () => {
  const { configuredWorkers, configuredSeconds } = limits;
  assert.is(whole(`workers: ${configuredWorkers}`).workers, configuredWorkers);
  assert.match(only(`workers: ${configuredWorkers + 1}`), `workers must be <= ${configuredWorkers}`);
  for (const name of ['lease_seconds', 'cancel_grace_seconds', 'drain_seconds'] as const) {
    assert.is(whole(`queue: { ${name}: ${configuredSeconds} }`).queue[name], configuredSeconds);
    assert.match(only(`queue: { ${name}: ${configuredSeconds + 1} }`), `queue.${name} must be <= ${configuredSeconds}`);
  }
  const program = (seconds: number) => `agents: { claude: { command: [x], timeout_seconds: ${seconds} } }`;
  assert.is(whole(program(configuredSeconds)).agents['claude']?.timeout_seconds, configuredSeconds);
  assert.match(only(program(configuredSeconds + 1)), `<= ${configuredSeconds}`);
  assert.ok(configuredSeconds * 1000 < 2 ** 31, 'timers take it');
});

test('limits.configurationAliases: so often a value may stand there by its anchor', () => {
  const { configurationAliases } = limits;
  const times = (count: number) => `http: { allowed_hosts: [&x a${', *x'.repeat(count - 1)}] }`;
  assert.is(whole(times(configurationAliases)).http.allowed_hosts.length, configurationAliases);
  assert.match(only(times(configurationAliases + 1)), /Excessive alias count/);
});

test('limits.childTimeoutMs and childIdleMs: what a program gets where nothing else is said', () => {
  const { childTimeoutMs, childIdleMs } = limits;
  const { timeout_seconds, idle_seconds } = whole('agents: { claude: { command: [x] } }').agents['claude'] ?? {};
  assert.equal([timeout_seconds, idle_seconds], [childTimeoutMs / 1000, childIdleMs / 1000]);
});

test.run();

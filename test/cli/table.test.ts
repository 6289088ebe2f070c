import { spawnSync } from 'node:child_process';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { completionScript, shells } from '../../lib/cli/completion.js';
import { helpOf } from '../../lib/cli/help.js';
import { exitWords, type Flag, globalFlags } from '../../lib/cli/table.js';
import { DEFAULT_VERB, verbNamed, verbs } from '../../lib/cli/verbs.js';
import { work } from '../../lib/cli/work.js';
import { exitCodesOfErrors } from '../support/exit-codes.js';

const test = suite('table of verbs');

test('each verb has its work, and nothing else has', () => {
  assert.equal(Object.keys(work).sort(), verbs.map(({ name }) => name).sort());
  assert.ok(verbNamed(DEFAULT_VERB));
});

test('a flag of one name is the same kind everywhere, and no verb takes the name of a global one', () => {
  const kinds = new Map<string, string>();
  const kindOf = (flag: Flag): string => `${flag.value === undefined ? 'switch' : 'value'} ${flag.short ?? ''}`;
  for (const flag of globalFlags) kinds.set(flag.name, kindOf(flag));
  for (const flag of verbs.flatMap(({ flags }) => flags)) {
    assert.not.ok(
      globalFlags.some(({ name }) => name === flag.name),
      flag.name,
    );
    assert.is(kindOf(flag), kinds.get(flag.name) ?? kindOf(flag), flag.name);
    kinds.set(flag.name, kindOf(flag));
  }
});

test('every exit code has its words, and every error of the table an exit code with words', () => {
  for (const exit of [...verbs.flatMap(({ exits }) => exits), ...exitCodesOfErrors()])
    assert.ok(exitWords[exit] !== undefined, String(exit));
});

test('help tells every flag, every exit code and an example', () => {
  for (const verb of verbs) {
    const help = helpOf(verb);
    for (const flag of [...verb.flags, ...globalFlags]) assert.match(help, `--${flag.name}`);
    for (const exit of verb.exits) assert.match(help, new RegExp(`^  ${exit}  `, 'm'));
    assert.ok(verb.examples.length > 0, verb.name);
    for (const example of verb.examples) assert.match(example, 'agentopsd');
  }
});

test('completion knows every verb and flag', () => {
  for (const shell of shells) {
    const script = completionScript(shell);
    for (const verb of verbs) {
      assert.match(script, verb.name);
      for (const flag of verb.flags) assert.match(script, shell === 'fish' ? ` -l ${flag.name}` : `--${flag.name}`);
    }
  }
});

test('the completion works in bash', () => {
  const complete = (...words: string[]): string => {
    const program = `${completionScript('bash')}\nCOMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _agentopsd; echo "\${COMPREPLY[@]}"`;
    const { status, stdout, stderr } = spawnSync('bash', ['-c', program], { encoding: 'utf8' });
    assert.is(status, 0, stderr);
    return stdout.trim();
  };
  assert.is(complete('agentopsd', 'jo'), 'jobs');
  assert.is(complete('agentopsd', 'jobs', '--st'), '--status');
  assert.is(complete('agentopsd', '--json', 'jobs', '--status', 'q'), 'queued');
  assert.is(complete('agentopsd', 'completion', 'f'), 'fish');
});

test.run();

/** Completion scripts for shells, made from the table of verbs: plain words, nothing is asked of a daemon. */
import { type Flag, globalFlags, type Verb } from './table.js';
import { verbs } from './verbs.js';

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

export function completionScript(shell: Shell): string {
  switch (shell) {
    case 'bash':
      return bashScript();
    case 'zsh':
      return `#compdef agentopsd\nautoload -U +X bashcompinit && bashcompinit\n${bashScript()}`;
    case 'fish':
      return fishScript();
  }
}

function bashScript(): string {
  return [
    '_agentopsd() {',
    `  local word=\${COMP_WORDS[COMP_CWORD]} last=\${COMP_WORDS[COMP_CWORD-1]} verb= candidate`,
    `  for candidate in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do`,
    `    case $candidate in ${verbs.map((verb) => verb.name).join('|')}) verb=$candidate; break;; esac`,
    '  done',
    '  case $verb:$last in',
    ...verbs.flatMap((verb) =>
      verb.flags.filter(hasChoices).map((flag) => bashChoices(`${verb.name}:--${flag.name}`, flag)),
    ),
    ...globalFlags.filter(hasChoices).map((flag) => bashChoices(`*:--${flag.name}`, flag)),
    '  esac',
    '  case $verb in',
    `    '') COMPREPLY=($(compgen -W '${[...verbs.map((verb) => verb.name), ...flagWords(globalFlags)].join(' ')}' -- "$word"));;`,
    ...verbs.map((verb) => `    ${verb.name}) COMPREPLY=($(compgen -W '${wordsBehind(verb).join(' ')}' -- "$word"));;`),
    '  esac',
    '}',
    'complete -o default -F _agentopsd agentopsd',
  ].join('\n');
}

function bashChoices(pattern: string, flag: Flag): string {
  return `    ${pattern}) COMPREPLY=($(compgen -W '${(flag.choices ?? []).join(' ')}' -- "$word")); return;;`;
}

function fishScript(): string {
  const names = verbs.map((verb) => verb.name).join(' ');
  return [
    ...verbs.map(
      (verb) =>
        `complete -c agentopsd -n 'not __fish_seen_subcommand_from ${names}' -f -a ${verb.name} -d ${quoted(verb.says)}`,
    ),
    ...globalFlags.map((flag) => fishFlag('', flag)),
    ...verbs.flatMap((verb) =>
      verb.flags.map((flag) => fishFlag(` -n '__fish_seen_subcommand_from ${verb.name}'`, flag)),
    ),
  ].join('\n');
}

function fishFlag(condition: string, flag: Flag): string {
  const short = flag.short === undefined ? '' : ` -s ${flag.short}`;
  const value = flag.value === undefined ? '' : ' -r';
  const choices = flag.choices === undefined ? '' : ` -f -a ${quoted(flag.choices.join(' '))}`;
  return `complete -c agentopsd${condition} -l ${flag.name}${short}${value}${choices} -d ${quoted(flag.says)}`;
}

function wordsBehind(verb: Verb): string[] {
  const operands =
    verb.name === 'help' ? verbs.map((other) => other.name) : verb.name === 'completion' ? [...shells] : [];
  return [...operands, ...flagWords(verb.flags), ...flagWords(globalFlags)];
}

function flagWords(flags: readonly Flag[]): string[] {
  return flags.map((flag) => `--${flag.name}`);
}

function hasChoices(flag: Flag): boolean {
  return flag.choices !== undefined;
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

import type { Candidates, Completable, CompletableOption } from './completable.ts';

/** A script for zsh that completes the command lines of these commands: to be sourced, or put into $fpath. */
export function zshScript(commands: readonly Completable[]): string {
  const programs = commands.map(({ name }) => name).filter((name) => !name.includes(' '));
  return `#compdef ${programs.join(' ')}

${commands.map(completer).join('\n')}
_service-mgr() {
  case $service in
${programs.map((name) => `    ${name}) ${functionOf(name)} ;;`).join('\n')}
  esac
}

# As a file of $fpath it is run at the first completion; sourced, it only declares itself.
if [[ $funcstack[1] == _service-mgr ]]; then
  _service-mgr "$@"
else
  compdef _service-mgr ${programs.join(' ')}
fi
`;
}

function completer(command: Completable): string {
  const { name, verbs, options, operands } = command;
  const specs = options.flatMap(optionSpecs);
  if (verbs.length > 0) specs.push("'1: :->verb'", "'*:: :->rest'");
  else if (operands.length > 0) specs.push(quoted(`1: :${action(operands)}`));
  // What stands behind a verb belongs to the verb.
  const guard = verbs.length > 0 ? "-A '-*' " : '';
  return `${functionOf(name)}() {
  local curcontext="$curcontext" state
  local -a line verbs
  _arguments -C ${guard}\\
    ${specs.join(' \\\n    ')}
${verbs.length > 0 ? verbPart(command) : ''}}
`;
}

function verbPart({ name, verbs }: Completable): string {
  const described = verbs.map(({ word, summary }) => quoted(`${word}:${escaped(summary, ':')}`));
  const calls = verbs.map(({ word }) => `        ${word}) ${functionOf(`${name} ${word}`)} ;;`);
  return `  case $state in
    verb)
      verbs=(${described.join(' ')})
      _describe command verbs
      ;;
    rest)
      case $words[1] in
${calls.join('\n')}
      esac
      ;;
  esac
`;
}

/** One for each form of the option; each excludes the other one. */
function optionSpecs({ flags, summary, value }: CompletableOption): string[] {
  return flags.map((flag) => {
    const form = value !== undefined && flag.startsWith('--') ? `${flag}=` : flag;
    const operand = value === undefined ? '' : `:${escaped(value.name, ':')}:${action(value.candidates)}`;
    return quoted(`(${flags.join(' ')})${form}[${escaped(summary, '[]')}]${operand}`);
  });
}

function action(candidates: Candidates): string {
  return candidates === 'files' ? '_files' : candidates.length === 0 ? ' ' : `(${candidates.join(' ')})`;
}

function functionOf(name: string): string {
  return `_${name.replaceAll(/[^a-z0-9]/g, '_')}`;
}

/** With a backslash before each of these characters and before each backslash. */
function escaped(text: string, characters: string): string {
  return Array.from(text, (letter) => (`\\${characters}`.includes(letter) ? `\\${letter}` : letter)).join('');
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

import type { Candidates, Completable, CompletableOption } from './completable.ts';

/** A script for bash 3.2 or newer that completes the command lines of these commands. */
export function bashScript(commands: readonly Completable[]): string {
  const programs = commands.map(({ name }) => name).filter((name) => !name.includes(' '));
  return `# bash completion of ${programs.join(', ')}

_service_mgr_is_command() {
  case $1 in
    ${commands.map(({ name }) => quoted(name)).join('|')}) ;;
    *) return 1 ;;
  esac
}

# Sets what may stand behind a command: its words, and its options of one letter.
_service_mgr_words() {
  case $1 in
${commands.map(wordsCase).join('\n')}
  esac
}

# Sets what may stand behind an option of a command. Fails when it has no value.
_service_mgr_values() {
  case "$1 $2" in
${commands.flatMap(valueCases).join('\n')}
    *) return 1 ;;
  esac
}

_service_mgr() {
  local command=\${COMP_WORDS[0]##*/} current=\${COMP_WORDS[COMP_CWORD]}
  local option= previous= word= words= letters= files=
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    # bash takes --format=json and role:web for three words each.
    if [[ $word == [=:] || $previous == : ]]; then
      :
    elif [[ -n $option ]]; then
      option=
    elif [[ $word == -* ]]; then
      _service_mgr_values "$command" "$word" && option=$word
    elif _service_mgr_is_command "$command $word"; then
      command="$command $word"
    fi
    previous=$word
  done
  COMPREPLY=()
  # Of a word with a colon, the rest is not known.
  [[ $current == : || $previous == : ]] && return
  [[ $current == = ]] && current=
  words= files=
  if [[ -n $option ]]; then
    _service_mgr_values "$command" "$option"
  else
    _service_mgr_words "$command"
    [[ $current == -* ]] && words="$words $letters"
  fi
  local IFS=$' \\t\\n'
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  if [[ -n $files ]]; then
    IFS=$'\\n'
    COMPREPLY+=($(compgen -f -- "$current"))
    compopt -o filenames 2>/dev/null
  fi
}

complete -F _service_mgr ${programs.join(' ')}
`;
}

function wordsCase({ name, verbs, options, operands }: Completable): string {
  const flags = options.flatMap((option) => option.flags);
  const long = flags.filter((flag) => flag.startsWith('--'));
  const short = flags.filter((flag) => !flag.startsWith('--'));
  const words = [...verbs.map(({ word }) => word), ...(operands === 'files' ? [] : operands), ...long];
  const files = operands === 'files' ? ' files=1' : '';
  return `    ${quoted(name)}) words=${quoted(words.join(' '))} letters=${quoted(short.join(' '))}${files} ;;`;
}

function valueCases({ name, options }: Completable): string[] {
  return options.flatMap((option) => valueCase(name, option));
}

function valueCase(command: string, { flags, value }: CompletableOption): string[] {
  if (value === undefined) return [];
  const patterns = flags.map((flag) => quoted(`${command} ${flag}`)).join('|');
  return [`    ${patterns}) ${assignment(value.candidates)} ;;`];
}

function assignment(candidates: Candidates): string {
  return candidates === 'files' ? 'files=1' : `words=${quoted(candidates.join(' '))}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

import type { Option } from 'commander';
import { actions } from '../../wire/fields.ts';
import { type CommandNode, optionsOf } from '../command-tree.ts';

/** What can stand at one place of a command line: one of these words, the name of a file, or nothing that is known. */
export type Candidates = readonly string[] | 'files';

export interface CompletableOption {
  /** `-f` and `--config`, or one of the two. */
  readonly flags: readonly string[];
  readonly summary: string;
  /** Undefined for an option without a value. */
  readonly value: { readonly name: string; readonly candidates: Candidates } | undefined;
}

/** A command as completion needs it. */
export interface Completable {
  /** As it is typed: `service-mgr-client nodes forget`. */
  readonly name: string;
  readonly verbs: readonly { readonly word: string; readonly summary: string }[];
  readonly options: readonly CompletableOption[];
  /** For the words that are neither options nor verbs. */
  readonly operands: Candidates;
}

/** The command and all below it. */
export function completables(node: CommandNode): Completable[] {
  const { name, command, verbs } = node;
  const [argument] = command.registeredArguments;
  const own: Completable = {
    name,
    verbs: verbs.map(({ command: verb, name: whole }) => ({
      word: whole.slice(name.length + 1),
      summary: verb.description(),
    })),
    options: optionsOf(node).map(completableOption),
    operands: argument === undefined ? [] : (argument.argChoices ?? candidatesOf(argument.name())),
  };
  return [own, ...verbs.flatMap(completables)];
}

function completableOption(option: Option): CompletableOption {
  const flags = [option.short, option.long].filter((flag) => flag != null);
  const [, name] = /[<[]([^>\]]+)[>\]]/.exec(option.flags) ?? [];
  const value =
    name === undefined ? undefined : { name, candidates: option.argChoices ?? candidatesOf(name) };
  return { flags, summary: option.description, value };
}

/** By what the help calls a value. */
function candidatesOf(valueName: string): Candidates {
  return candidatesByName.get(valueName) ?? [];
}

const candidatesByName: ReadonlyMap<string, Candidates> = new Map<string, Candidates>([
  ['file', 'files'],
  ['cmd', actions],
  ['topic', ['any']],
  ['target', ['any']],
  ['id', ['last']],
]);

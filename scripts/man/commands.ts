import type { Option } from 'commander';
import { type CommandNode, declaredOptionsOf, optionsOf } from '../../src/cli/command-tree.ts';
import { globalOptionNames } from '../../src/cli/global-options.ts';
import { enumeration, list, paragraphs, plain, sentences, word } from './mdoc.ts';

/** Those that stand before and behind every verb; the man page of the client lists them once. */
export function isGlobal(option: Option): boolean {
  return globalOptionNames.has(option.attributeName()) || option.long === '--help';
}

/** In the groups of the help: those without a heading come first. */
export function ownOptions(node: CommandNode): string {
  const options = declaredOptionsOf(node).filter((option) => !isGlobal(option));
  const headings = new Set([undefined, ...options.map((option) => option.helpGroupHeading)]);
  const groups = Array.from(headings, (heading) => {
    const list = optionList(options.filter((option) => option.helpGroupHeading === heading));
    return heading === undefined || list === '' ? list : `.Pp\n${plain(heading)}\n${list}`;
  });
  return groups.filter((group) => group !== '').join('\n');
}

export function globalOptions(node: CommandNode): string {
  return optionList(optionsOf(node).filter(isGlobal));
}

export function allOptions(node: CommandNode): string {
  return optionList(optionsOf(node));
}

/** What is not said of a command where it is listed: arguments, options of its own, commands below it. */
function hasMore(node: CommandNode): boolean {
  return node.verbs.length > 0 || node.command.registeredArguments.length > 0 || ownOptions(node) !== '';
}

/** Everything below a program, each with what its help says; but what a list of its verbs says already. */
export function commandSections({ verbs }: CommandNode): string {
  return verbs.filter(hasMore).map(sectionsFrom).join('\n');
}

function sectionsFrom(node: CommandNode): string {
  return [commandSection(node), ...node.verbs.map(sectionsFrom)].join('\n');
}

export function verbList({ verbs }: CommandNode): string {
  return list(
    '-tag -width Ds',
    verbs.map(({ command }) => `.It Cm ${word(command.name())}\n${sentences(command.description())}`),
  );
}

function commandSection(node: CommandNode): string {
  const { name, command } = node;
  const words = name.split(' ').slice(1).map(word).join(' ');
  const parts = [
    `.Ss ${words}`,
    synopsis(node),
    sentences(command.description()),
    list(
      '-tag -width Ds -compact',
      command.registeredArguments.map(
        (argument) => `.It Ar ${word(argument.name())}\n${sentences(argument.description)}`,
      ),
    ),
    ownOptions(node),
    notesOf(node),
  ];
  return parts.filter((part) => part !== '').join('\n');
}

/** The lines of usage: what commander makes itself, or what a command says with its whole name in later lines. */
function synopsis({ name, command }: CommandNode): string {
  const [first = '', ...more] = command
    .usage()
    .split('\n')
    .map((line) => line.trim());
  const lines = [`${name} ${first}`, ...more];
  return list(
    '-item -compact',
    lines.map((line) => `.It\n${usageLine(line)}`),
  );
}

function usageLine(line: string): string {
  const [program = '', ...rest] = line.split(' ').filter((part) => part !== '');
  return [`.Nm ${program}`, ...rest.map(usageWord)].join(' ');
}

function usageWord(part: string): string {
  const [, optional] = /^\[(.*)\]$/.exec(part) ?? [];
  if (optional !== undefined) return `Oo Ar ${word(optional)} Oc`;
  const [, flag] = /^-(.+)$/.exec(part) ?? [];
  if (flag !== undefined) return `Fl ${plain(flag).replace(/^-/, '\\-')}`;
  const [, placeholder = part] = /^<(.*)>$/.exec(part) ?? [];
  return /^[a-z]/.test(part) ? `Cm ${word(part)}` : `Ar ${word(placeholder)}`;
}

function optionList(options: readonly Option[]): string {
  return list(
    '-tag -width Ds',
    options.map((option) => `.It ${flagsOf(option)}\n${explanation(option)}`),
  );
}

/** `-f, --config <file>` as `Fl f , Fl -config Ar file`. */
export function flagsOf(option: Option): string {
  const value = /[<[]([^>\]]+)[>\]]/.exec(option.flags)?.[1];
  const argument =
    value === undefined ? '' : option.optional ? ` Op Ar ${word(value)}` : ` Ar ${word(value)}`;
  const flags = [option.short?.slice(1), option.long?.slice(1).replace(/^-/, '\\-')];
  return flags
    .filter((flag) => flag !== undefined)
    .map((flag) => `Fl ${flag}${argument}`)
    .join(' , ');
}

function explanation(option: Option): string {
  const lines = [sentences(option.description)];
  if (option.argChoices !== undefined)
    lines.push(plain(`The choices are ${enumeration(option.argChoices)}.`));
  if (option.mandatory) lines.push('It has to be given.');
  if (typeof option.defaultValue === 'string') lines.push(plain(`The default is ${option.defaultValue}.`));
  return lines.join('\n');
}

/** What a command adds below its options by addHelpText. */
function notesOf({ command }: CommandNode): string {
  let help = '';
  command.configureOutput({
    writeOut: (text) => {
      help += text;
    },
  });
  command.outputHelp();
  const notes = help.slice(command.helpInformation().length);
  return notes === '' ? '' : paragraphs(notes);
}

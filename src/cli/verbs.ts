import { Command, type CommandUnknownOpts, type OptionValues } from '@commander-js/extra-typings';
import { CommanderError } from 'commander';
import { advice } from '../config/spelling.ts';
import type { Terminal } from '../platform/terminal.ts';
import { ServiceManagerError } from '../wire/errors.ts';
import { type GlobalOptions, globalOptionNames } from './global-options.ts';
import { printOn } from './output.ts';
import type { Program, Verb } from './program.ts';
import { tryHelp } from './subcommands.ts';

/** How commander ends a command: with an error of the user, or because help was asked for and shown. */
export class CommandEnd extends CommanderError {
  readonly command: CommandUnknownOpts;

  constructor({ exitCode, code, message }: CommanderError, command: CommandUnknownOpts) {
    super(exitCode, code, message);
    this.command = command;
  }
}

/** What all commands have in common. The name is given as it is typed: `service-mgr-client nodes`. */
export function newCommand(name: string, terminal: Terminal) {
  const command = new Command(name);
  return command
    .exitOverride((end) => {
      throw new CommandEnd(end, command);
    })
    .configureOutput(printOn(terminal))
    .showHelpAfterError(tryHelp(command))
    .helpCommand(false);
}

/** A verb that stands on the command line, and the words behind it. */
export interface Chosen {
  readonly verb: Verb;
  readonly argv: readonly string[];
}

/** A command line, read up to its verb. */
export interface Read<Options> {
  readonly options: Options;
  readonly chosen: Chosen | undefined;
}

/**
 * Reads a command line up to its verb, if there is one. What stands behind it is left to the verb itself, so that its
 * options are declared only when they are needed. Throws commander's errors, and BAD_USAGE for a word that is no verb.
 */
export function readCommand<Args extends unknown[], Options extends OptionValues>(
  command: Command<Args, Options>,
  verbs: readonly Verb[],
  argv: readonly string[],
): Read<Options> {
  let chosen: Chosen | undefined;
  command.enablePositionalOptions().allowExcessArguments();
  for (const verb of verbs) {
    addVerb(command, verb, (words) => {
      chosen = { verb, argv: words };
    });
  }
  command.action(() => {}).parse([...argv], { from: 'user' });
  const [word] = command.args;
  if (chosen !== undefined) refuseMisplaced(command, chosen.verb);
  else if (word !== undefined) throw unknownCommand(word, verbs);
  return { options: command.opts(), chosen };
}

/** Runs the verb. `given` are the options that stood before it. */
export function runVerb({ verb, argv }: Chosen, given: GlobalOptions, program: Program): Promise<number> {
  return verb.run(argv, { ...program, given: { ...program.given, ...given } });
}

function addVerb<Args extends unknown[], Options extends OptionValues>(
  command: Command<Args, Options>,
  { name, usage, summary }: Verb,
  onChosen: (words: readonly string[]) => void,
): void {
  command
    .command(name)
    .usage(usage)
    .description(summary)
    .helpOption(false)
    .allowUnknownOption()
    .passThroughOptions()
    .action((_options, stub) => onChosen(stub.args));
  command.configureHelp({ subcommandTerm: (stub) => `${stub.name()} ${stub.usage()}`.trim() });
}

/** Only the options of all commands may stand before a verb: any other one would be lost there. */
function refuseMisplaced<Args extends unknown[], Options extends OptionValues>(
  command: Command<Args, Options>,
  { name }: Verb,
): void {
  const misplaced = command.options.find((option) => {
    const key = option.attributeName();
    return !globalOptionNames.has(key) && command.getOptionValueSource(key) === 'cli';
  });
  if (misplaced === undefined) return;
  throw new ServiceManagerError(
    'BAD_USAGE',
    `option ${misplaced.flags} stands before ${name}, expected only options of all commands there`,
  );
}

function unknownCommand(word: string, verbs: readonly Verb[]): ServiceManagerError {
  const names = verbs.map(({ name }) => name);
  return new ServiceManagerError('BAD_USAGE', `unknown command "${word}", ${advice(word, names)}`);
}

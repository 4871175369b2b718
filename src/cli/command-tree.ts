import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import type { Option } from 'commander';
import type { KeyFiles } from '../platform/key-files.ts';
import type { Terminal } from '../platform/terminal.ts';
import { agentDescription, managerDescription } from './daemon-descriptions.ts';
import type { DaemonHome } from './daemon-home.ts';
import { type DaemonDescription, daemonCommand } from './daemon-options.ts';
import { Output } from './output.ts';
import type { RunVerb } from './program.ts';
import { CommandEnd } from './verbs.ts';

/** A command with all that its help shows, and the commands below it. Man pages and completion are made from it. */
export interface CommandNode {
  /** As it is typed: `service-mgr-client nodes forget`. */
  readonly name: string;
  readonly command: CommandUnknownOpts;
  readonly verbs: readonly CommandNode[];
}

// Nobody reads the help that is asked for here.
const nowhere: Terminal = {
  writeOut: async () => {},
  writeError: async () => {},
  isOutTerminal: false,
  isErrorTerminal: false,
  columns: undefined,
  isColor: false,
  canAsk: false,
  ask: async () => undefined,
  readInput: async () => '',
};

const noKeyFiles: KeyFiles = {
  exists: () => false,
  readSecret: () => '',
  readPublic: () => '',
  createSecret: () => {},
  replaceSecret: () => {},
  writePublic: () => {},
  list: () => [],
  remove: () => {},
};

/** All three programs; `runClient` is that of `cli/main.ts`. */
export async function commandTrees(runClient: RunVerb): Promise<readonly CommandNode[]> {
  return [
    daemonTree(managerDescription),
    daemonTree(agentDescription),
    await clientTree('service-mgr-client', [], runClient),
  ];
}

/** The options that the help of a command shows, with the one that shows the help. */
export function optionsOf(node: CommandNode): readonly Option[] {
  const { command } = node;
  return [...declaredOptionsOf(node), ...command.createHelp().visibleGlobalOptions(command)];
}

/** Without those of the program that may stand behind it, too. */
export function declaredOptionsOf({ command }: CommandNode): readonly Option[] {
  return command.createHelp().visibleOptions(command);
}

function daemonTree<Home extends DaemonHome>(description: DaemonDescription<Home>): CommandNode {
  return nodeOf(
    description.name,
    daemonCommand(description, nowhere, () => {}),
  );
}

/** All commands of a daemon are declared at once. */
function nodeOf(name: string, command: CommandUnknownOpts): CommandNode {
  return { name, command, verbs: command.commands.map((verb) => nodeOf(`${name} ${verb.name()}`, verb)) };
}

/** Verbs declare their options only when they are called, so each is asked for its help, as a user would do it. */
async function clientTree(name: string, words: readonly string[], runClient: RunVerb): Promise<CommandNode> {
  const command = await commandBehind([...words, '--help'], runClient);
  const names = command.commands.map((stub) => stub.name());
  const verbs = names.map((verb) => clientTree(`${name} ${verb}`, [...words, verb], runClient));
  return { name, command, verbs: await Promise.all(verbs) };
}

async function commandBehind(argv: readonly string[], runClient: RunVerb): Promise<CommandUnknownOpts> {
  const files = { exists: () => false, readText: () => '', makeFolder: () => {} };
  const nothing = { keyFiles: noKeyFiles, configFolder: '', userName: '', openClient: neverOpened };
  const deps = { terminal: nowhere, files, ...nothing, interrupted: AbortSignal.abort() };
  try {
    await runClient(argv, { deps, output: new Output(nowhere), given: {} });
  } catch (error) {
    if (error instanceof CommandEnd && error.exitCode === 0) return error.command;
    throw error;
  }
  throw new TypeError(`${argv.join(' ')} shows no help`);
}

function neverOpened(): never {
  throw new TypeError('a help asks no manager');
}

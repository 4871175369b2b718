import type { CommandUnknownOpts, Option } from '@commander-js/extra-typings';

/** A command below another one. What it says of itself is one sentence, without its capital and its full stop. */
export function addLeaf(above: CommandUnknownOpts, name: string, says: string) {
  const description = `${says.charAt(0).toUpperCase()}${says.slice(1)}.`;
  const leaf = above.command(name).summary(says).description(description);
  return leaf.showHelpAfterError(tryHelp(leaf));
}

/** What stands behind an error of the user. */
export function tryHelp(command: CommandUnknownOpts): string {
  return `Try "${typedName(command)} --help".`;
}

/** `service-mgrd token create` */
function typedName(command: CommandUnknownOpts): string {
  return command.parent === null ? command.name() : `${typedName(command.parent)} ${command.name()}`;
}

/** A command that does nothing by itself and has others below it. */
export function addGroup(above: CommandUnknownOpts, name: string, says: string): CommandUnknownOpts {
  return addLeaf(above, name, says).helpCommand(false);
}

/** Which options of the program mean something to a command of it: to all but start those that say where the daemon is. */
export function optionsAbove(command: CommandUnknownOpts): Option[] {
  if (command.parent === null) return [];
  const isStart = command.name() === 'start';
  return programOf(command).options.filter((option) => {
    const name = option.attributeName();
    return isStart ? name !== 'version' && name !== 'endpoint' : name === 'config' || name === 'endpoint';
  });
}

function programOf(command: CommandUnknownOpts): CommandUnknownOpts {
  return command.parent === null ? command : programOf(command.parent);
}

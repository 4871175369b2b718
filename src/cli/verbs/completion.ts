import { Argument } from '@commander-js/extra-typings';
import { commandTrees } from '../command-tree.ts';
import { bashScript } from '../completion/bash.ts';
import { completables } from '../completion/completable.ts';
import { zshScript } from '../completion/zsh.ts';
import { addGlobalOptions } from '../global-options.ts';
import type { Program, RunVerb } from '../program.ts';
import { newCommand } from '../verbs.ts';

function completionCommand({ deps }: Program) {
  const command = newCommand('service-mgr-client completion', deps.terminal)
    .description('Print a script with which a shell completes the command lines of all three programs.')
    .addArgument(new Argument('<shell>', 'the shell').choices(['bash', 'zsh'] as const));
  return addGlobalOptions(command).addHelpText(
    'after',
    `
The packages install these scripts. Elsewhere, this line in ~/.bashrc does it, and
the same with zsh behind "compinit" in ~/.zshrc:

  source <(service-mgr-client completion bash)`,
  );
}

/** `runClient` is that of `cli/main.ts`: the script is made from the commands themselves. */
export async function completion(
  argv: readonly string[],
  program: Program,
  runClient: RunVerb,
): Promise<number> {
  const [shell] = completionCommand(program).parse([...argv], { from: 'user' }).processedArgs;
  const commands = (await commandTrees(runClient)).flatMap(completables);
  program.output.data(shell === 'bash' ? bashScript(commands) : zshScript(commands));
  return 0;
}

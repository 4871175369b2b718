import { nodeName } from '../../config/values.ts';
import { addGlobalOptions, checked } from '../global-options.ts';
import type { Program } from '../program.ts';
import { withSession } from '../session.ts';
import { newCommand } from '../verbs.ts';

function forgetCommand({ deps }: Program) {
  const command = newCommand('service-mgr-client nodes forget', deps.terminal)
    .description('Forget a node that will not come back. If it does, it is known again.')
    .argument('<name>', 'the node', checked(nodeName));
  return addGlobalOptions(command).addHelpText('after', '\nEnds with 68 when no node has this name.');
}

export async function forgetNode(argv: readonly string[], program: Program): Promise<number> {
  const command = forgetCommand(program).parse([...argv], { from: 'user' });
  const [node] = command.processedArgs;
  return withSession(program, command.opts(), 'always', async ({ manager, output }) => {
    await manager.history.forget(node);
    output.message(`forgotten: ${node}`);
    return 0;
  });
}

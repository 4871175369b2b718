import { formatOption } from '../client-options.ts';
import { findRequest, followEarlier, requestName } from '../earlier-request.ts';
import { addGlobalOptions, checked } from '../global-options.ts';
import type { Program } from '../program.ts';
import { withSession } from '../session.ts';
import { newCommand } from '../verbs.ts';

function attachCommand({ deps }: Program) {
  const command = newCommand('service-mgr-client requests attach', deps.terminal)
    .description('Print the answers to a request so far, and wait for the others until it is over.')
    .argument('<id>', requestName.expected, checked(requestName))
    .addOption(formatOption().default('json' as const));
  return addGlobalOptions(command).addHelpText(
    'after',
    `
Prints what the command that sent the request would have printed, and ends with
the same exit code. It waits as long as the request is open; -w sets an end to
that.`,
  );
}

export async function attachRequest(argv: readonly string[], program: Program): Promise<number> {
  const command = attachCommand(program).parse([...argv], { from: 'user' });
  const [name] = command.processedArgs;
  const options = command.opts();
  return withSession(program, options, 'when-given', async (session) => {
    const reply = await findRequest(name, session.manager.history);
    return followEarlier(reply, options.format, session);
  });
}

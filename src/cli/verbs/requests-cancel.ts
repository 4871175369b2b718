import { formatOption } from '../client-options.ts';
import { findRequest, followEarlier, requestName } from '../earlier-request.ts';
import { addGlobalOptions, checked } from '../global-options.ts';
import type { Program } from '../program.ts';
import { withSession } from '../session.ts';
import { newCommand } from '../verbs.ts';

function cancelCommand({ deps }: Program) {
  const command = newCommand('service-mgr-client requests cancel', deps.terminal)
    .description('Tell the nodes not to begin with a request, and to end what runs.')
    .argument('<id>', requestName.expected, checked(requestName))
    .addOption(formatOption().default('table' as const));
  return addGlobalOptions(command).addHelpText(
    'after',
    `
Waits until every node has said what became of it, but not longer than -w, and
prints that. The exit code tells how the request came out: 2 when some node was
cancelled, 0 when all of them had been ready before.`,
  );
}

export async function cancelRequest(argv: readonly string[], program: Program): Promise<number> {
  const command = cancelCommand(program).parse([...argv], { from: 'user' });
  const [name] = command.processedArgs;
  const options = command.opts();
  return withSession(program, options, 'always', async (session) => {
    const { manager, output } = session;
    const found = await findRequest(name, manager.history);
    const { id, endedMs } = found.request;
    if (endedMs !== undefined) output.message(`service-mgr-client: request ${id} was over already`);
    const reply = endedMs === undefined ? await manager.history.cancel(id) : found;
    return followEarlier(reply, options.format, session);
  });
}

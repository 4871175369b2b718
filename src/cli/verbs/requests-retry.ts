import { addSendingOptions } from '../client-options.ts';
import { findRequest, requestName } from '../earlier-request.ts';
import { addGlobalOptions, checked } from '../global-options.ts';
import type { Program } from '../program.ts';
import { withSession } from '../session.ts';
import { newCommand } from '../verbs.ts';
import { sendAgain } from './requests-again.ts';

function retryCommand({ deps }: Program) {
  const command = newCommand('service-mgr-client requests retry', deps.terminal)
    .description('Send a request again, as a new one, to the nodes where it did not go well.')
    .argument('<id>', requestName.expected, checked(requestName))
    .requiredOption('--failed', 'the nodes whose outcome is not ok (there is no other choice)');
  return addGlobalOptions(addSendingOptions(command)).addHelpText(
    'after',
    `
Same action and service, to all these nodes at once. "requests resume" goes on
with a rollout instead. Prints what a request to these nodes prints, and ends
with the same exit codes; with 0 when it went well everywhere. v1 agents cannot
be called by name and are left out.`,
  );
}

export async function retryRequest(argv: readonly string[], program: Program): Promise<number> {
  const command = retryCommand(program).parse([...argv], { from: 'user' });
  const [name] = command.processedArgs;
  const options = command.opts();
  return withSession(program, options, 'always', async (session) => {
    const reply = await findRequest(name, session.manager.history);
    const isWanted = (outcome: string) => outcome !== 'ok';
    const words = { verb: 'retry', participle: 'retried' };
    return sendAgain({ ...words, reply, isWanted, earlier: {}, options }, session);
  });
}

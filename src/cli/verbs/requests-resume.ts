import { ServiceManagerError } from '../../wire/errors.ts';
import type { RequestReply } from '../../wire/query.ts';
import { RequestBody } from '../../wire/request.ts';
import { onlyGiven } from '../aim-options.ts';
import { addSendingOptions, type Earlier } from '../client-options.ts';
import { findRequest, requestName } from '../earlier-request.ts';
import { addGlobalOptions, checked } from '../global-options.ts';
import type { Program } from '../program.ts';
import { failedOutcomes } from '../report.ts';
import { withSession } from '../session.ts';
import { newCommand } from '../verbs.ts';
import { sendAgain } from './requests-again.ts';

function resumeCommand({ deps }: Program) {
  const command = newCommand('service-mgr-client requests resume', deps.terminal)
    .description(
      'Go on with a request that is over, as a new one, in the same batches and with the same checks.',
    )
    .argument('<id>', requestName.expected, checked(requestName))
    .option('--failed', 'on the nodes that failed, or are unverified, refused, expired or interrupted')
    .option('--remaining', 'on the nodes that were not begun with, or have said nothing of how it ended');
  return addGlobalOptions(addSendingOptions(command)).addHelpText(
    'after',
    `
Both together: all nodes that are not ok. Same action and service, and the same
rollout options, --settle, --health and -a, unless others are given. Prints what
a request to these nodes prints, and ends with the same exit codes; with 0 when
there is no such node. v1 agents cannot be called by name and are left out.`,
  );
}

export async function resumeRequest(argv: readonly string[], program: Program): Promise<number> {
  const command = resumeCommand(program).parse([...argv], { from: 'user' });
  const [name] = command.processedArgs;
  const options = command.opts();
  const { failed = false, remaining = false } = options;
  if (!failed && !remaining)
    throw new ServiceManagerError('BAD_USAGE', 'requests resume: expected --failed, --remaining or both');
  return withSession(program, options, 'always', async (session) => {
    const reply = await findRequest(name, session.manager.history);
    const { id, endedMs } = reply.request;
    if (endedMs === undefined)
      throw new ServiceManagerError(
        'BAD_USAGE',
        `request ${id} is not over; cancel it first, or attach to it`,
      );
    const isWanted = (outcome: Parameters<typeof failedOutcomes.has>[0]) =>
      outcome !== 'ok' && (failedOutcomes.has(outcome) ? failed : remaining);
    const words = { verb: 'resume', participle: 'resumed' };
    return sendAgain({ ...words, reply, isWanted, earlier: earlierOf(reply), options }, session);
  });
}

/** How it was sent. Throws INVALID_REPLY when the manager does not say. */
function earlierOf({ request, body }: RequestReply): Earlier {
  const sent = RequestBody.tryDecode(Buffer.from(body ?? ''));
  if (sent === undefined)
    throw new ServiceManagerError(
      'INVALID_REPLY',
      `the manager does not say how request ${request.id} was sent; requests retry does not need that`,
    );
  const { rollout, settleMs, health, timeoutMs: actionTimeoutMs } = sent;
  return onlyGiven({ rollout, settleMs, health, actionTimeoutMs });
}

import type { Progress } from '../../client/index.ts';
import { foldNames } from '../../core/fold.ts';
import { addSendingOptions } from '../client-options.ts';
import { findRequest, requestName } from '../earlier-request.ts';
import { exitCodeNamed } from '../exit-codes.ts';
import { addGlobalOptions, checked } from '../global-options.ts';
import type { Output } from '../output.ts';
import type { Program } from '../program.ts';
import { runRequest } from '../run-request.ts';
import { type Session, withSession } from '../session.ts';
import { newCommand } from '../verbs.ts';

function retryCommand({ deps }: Program) {
  const command = newCommand('service-mgr-client requests retry', deps.terminal)
    .description('Send a request again, as a new one, to the nodes where it did not go well.')
    .argument('<id>', requestName.expected, checked(requestName))
    .requiredOption('--failed', 'the nodes whose outcome is not ok (there is no other choice yet)');
  return addGlobalOptions(addSendingOptions(command)).addHelpText(
    'after',
    `
Same action and service. Prints what a request to these nodes prints, and ends
with the same exit codes; with 0 when it went well everywhere. v1 agents cannot
be called by name and are left out.`,
  );
}

type RetryOptions = ReturnType<ReturnType<typeof retryCommand>['opts']>;

export async function retryRequest(argv: readonly string[], program: Program): Promise<number> {
  const command = retryCommand(program).parse([...argv], { from: 'user' });
  const [name] = command.processedArgs;
  const options = command.opts();
  return withSession(program, options, 'always', (session) => retry(name, options, session));
}

async function retry(name: string, options: RetryOptions, session: Session): Promise<number> {
  const { manager, output } = session;
  const reply = await findRequest(name, manager.history);
  const { id, action, service, topic } = reply.request;
  const wanted = reply.progress.filter(({ outcome }) => outcome !== 'ok');
  const nodes = await retriable(wanted, session);
  if (nodes.length === 0) {
    output.message(`service-mgr-client: nothing to retry of request ${id}`);
    return wanted.length === 0 ? 0 : exitCodeNamed('no-node');
  }
  session.debug(`retrying request ${id} on ${foldNames(nodes)}`);
  const { format, actionTimeout: actionTimeoutMs, async: isAsync = false } = options;
  return runRequest({ order: { topic, nodes, action, service }, actionTimeoutMs, format, isAsync }, session);
}

/** Without nodes that have no outcome yet, and v1 agents, which cannot be called by name: they are named on standard error. */
async function retriable(wanted: readonly Progress[], { manager, output }: Session): Promise<string[]> {
  if (wanted.length === 0) return [];
  const known = new Set<string>((await manager.history.nodes()).nodes.map(({ node }) => node));
  const open = wanted.filter(({ outcome }) => outcome === undefined);
  const ended = wanted.filter(({ outcome }) => outcome !== undefined);
  const strangers = ended.filter(({ node }) => !known.has(node));
  leaveOut('not over yet', open, output);
  leaveOut('not known by name', strangers, output);
  return ended.filter(({ node }) => known.has(node)).map(({ node }) => node);
}

function leaveOut(why: string, nodes: readonly Progress[], output: Output): void {
  if (nodes.length > 0) output.message(`not retried, ${why}: ${foldNames(nodes.map(({ node }) => node))}`);
}

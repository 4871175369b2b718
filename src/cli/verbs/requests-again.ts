import type { NodeOutcome } from '../../client/index.ts';
import { foldNames } from '../../core/fold.ts';
import type { RequestReply } from '../../wire/query.ts';
import { commandOf, type Earlier, type SendingOptions } from '../client-options.ts';
import { exitCodeNamed } from '../exit-codes.ts';
import type { Output } from '../output.ts';
import { runRequest } from '../run-request.ts';
import type { Session } from '../session.ts';

/** A request that is to be sent again, as a new one. */
export interface Again {
  /** `retry`, `retried`: for messages. */
  readonly verb: string;
  readonly participle: string;
  readonly reply: RequestReply;
  /** The nodes that it is for. */
  readonly isWanted: (outcome: NodeOutcome['outcome']) => boolean;
  /** What is kept of how it was sent before. */
  readonly earlier: Earlier;
  readonly options: SendingOptions;
}

/** Same action and service on those nodes. Resolves with the exit code: 0 when there is no such node. */
export async function sendAgain(again: Again, session: Session): Promise<number> {
  const { verb, reply, options, earlier } = again;
  const { id, action, service, topic } = reply.request;
  const wanted = reply.progress.filter(({ outcome }) => outcome === undefined || again.isWanted(outcome));
  const nodes = await callable(again, wanted, session);
  if (nodes.length === 0) {
    session.output.message(`service-mgr-client: nothing to ${verb} of request ${id}`);
    return wanted.length === 0 ? 0 : exitCodeNamed('no-node');
  }
  session.debug(`${verb} of request ${id} on ${foldNames(nodes)}`);
  return runRequest(commandOf(options, { topic, nodes, action, service }, earlier), session);
}

/** Without nodes that have no outcome yet, and v1 agents, which cannot be called by name: they are named on standard error. */
async function callable(
  { participle }: Again,
  wanted: RequestReply['progress'],
  { manager, output }: Session,
): Promise<string[]> {
  if (wanted.length === 0) return [];
  const known = new Set<string>((await manager.history.nodes()).nodes.map(({ node }) => node));
  const open = wanted.filter(({ outcome }) => outcome === undefined);
  const ended = wanted.filter(({ outcome }) => outcome !== undefined);
  const strangers = ended.filter(({ node }) => !known.has(node));
  leaveOut(`not ${participle}, not over yet`, open, output);
  leaveOut(`not ${participle}, not known by name`, strangers, output);
  return ended.filter(({ node }) => known.has(node)).map(({ node }) => node);
}

function leaveOut(why: string, nodes: RequestReply['progress'], output: Output): void {
  if (nodes.length > 0) output.message(`${why}: ${foldNames(nodes.map(({ node }) => node))}`);
}

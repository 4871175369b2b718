import type { Order, PendingRequest } from '../client/index.ts';
import { announceAbsent, sayNobody } from './conclusion.ts';
import { exitCodeNamed } from './exit-codes.ts';
import { follow } from './follow.ts';
import type { Format } from './print.ts';
import { isAimless } from './report.ts';
import type { Session } from './session.ts';

export interface RequestCommand {
  readonly order: Pick<Order, 'topic' | 'nodes' | 'action' | 'service'>;
  readonly actionTimeoutMs: number | undefined;
  readonly format: Format;
  readonly isAsync: boolean;
}

/** Sends one order, prints what the nodes answer, and resolves with the exit code that tells the truth about it. */
export async function runRequest(command: RequestCommand, session: Session): Promise<number> {
  const { order, actionTimeoutMs, format, isAsync } = command;
  const { manager, interrupted } = session;
  const request = await manager.send({
    ...order,
    windowMs: session.remainingMs(),
    signal: interrupted,
    ...(actionTimeoutMs === undefined ? {} : { actionTimeoutMs }),
  });
  const { id, expected, unreachable: absences } = request;
  session.debug(`request ${id}: sent to ${expected ?? 'an unknown number of'} agents`);
  if (isAsync) return leave(request, order.topic, session);
  return follow({ request, facts: { id, ...order }, format, absences }, session);
}

/** The request goes on without us. */
async function leave(request: PendingRequest, topic: string, { output }: Session): Promise<number> {
  await request.stop();
  output.data(`${request.id}\n`);
  announceAbsent(request.unreachable, output);
  if (!isAimless(request.summary)) return 0;
  sayNobody(topic, output);
  return exitCodeNamed('no-node');
}

import type { Order, PendingRequest } from '../client/index.ts';
import { skewReport } from '../security/skew.ts';
import { onlyGiven } from './aim-options.ts';
import { announceAbsent, sayNobody } from './conclusion.ts';
import { confirmed } from './confirm.ts';
import { dryRun } from './dry-run.ts';
import { exitCodeNamed } from './exit-codes.ts';
import { follow } from './follow.ts';
import { defaultFormat, type Format } from './print.ts';
import { isAimless } from './report.ts';
import type { Session } from './session.ts';

export interface RequestCommand {
  readonly order: Omit<Order, 'windowMs' | 'signal'>;
  /** As it was typed. */
  readonly format: Format | undefined;
  readonly isAsync: boolean;
  readonly isDryRun: boolean;
  /** `--yes` */
  readonly isConfirmed: boolean;
}

/** Sends one order, prints what the nodes answer, and resolves with the exit code that tells the truth about it. */
export async function runRequest(command: RequestCommand, session: Session): Promise<number> {
  const { order: wanted, format, isAsync, isDryRun, isConfirmed } = command;
  if (isDryRun) return dryRun(wanted, format, session);
  const isSure = isConfirmed || wanted.plan !== undefined;
  const order = isSure ? wanted : await confirmed(wanted, session);
  if (order === undefined) return exitCodeNamed('interrupted');
  const request = await send(order, session);
  const { id, expected, unreachable: absences } = request;
  warnOfClock(request, session);
  session.debug(`request ${id}: sent to ${expected ?? 'an unknown number of'} agents`);
  if (isAsync) return leave(request, order.topic, session);
  const { action, topic, service, nodes } = order;
  const facts = { id, action, topic, service, nodes };
  const isFollowed = order.follow === true;
  const shown = isFollowed ? format : (format ?? defaultFormat);
  return follow({ request, facts, format: shown, isFollowed, absences }, session);
}

/** The manager sees our clock ahead of its own, so its clock is behind ours. */
function warnOfClock({ clockOffsetMs }: PendingRequest, { output }: Session): void {
  const report = clockOffsetMs === undefined ? undefined : skewReport('the manager', -clockOffsetMs);
  if (report !== undefined) output.message(`service-mgr-client: ${report}`);
}

function send(
  order: Order,
  { manager, window, batchWindowMs: windowMs, interrupted: signal }: Session,
): Promise<PendingRequest> {
  if (order.rollout === undefined) return manager.send({ ...order, windowMs: window.remainingMs, signal });
  // The rollout has no end that is known.
  window.stop();
  return manager.send({ ...order, ...onlyGiven({ windowMs }), signal });
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

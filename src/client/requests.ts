import type { ActionName, NodeName, ServiceName, Topic } from '../wire/fields.ts';
import { Accepted } from '../wire/reply.ts';
import { RequestBody, sealRequest } from '../wire/request.ts';
import { type AskOptions, ask } from './ask.ts';
import type { ClientDeps } from './deps.ts';
import { PendingRequest } from './pending-request.ts';

/** What to do where. The fields are checked before anything is sent. */
export interface Order {
  /** Matched whole: `any`, a system such as `Linux`, a node's name, `role:web`, ... */
  readonly topic: string;
  /** Aims at these nodes only, instead of all that the topic reaches. */
  readonly nodes?: readonly string[];
  /** `start`, `stop`, `restart`, `status`, ... */
  readonly action: string;
  readonly service: string;
  /** Upper bound of the wall-clock time from here to the last answer, in milliseconds. Default 5,000. */
  readonly windowMs?: number;
  /** Time limit of the action on each node, in milliseconds; the agent's own limit applies where it is shorter. */
  readonly actionTimeoutMs?: number;
  /** Stops waiting when aborted; the request itself goes on. */
  readonly signal?: AbortSignal;
}

const defaultWindowMs = 5_000;

/** Resolves when a manager took the order. Rejects with INVALID_MESSAGE for a bad order, and as `ask` does. */
export async function send(order: Order, options: AskOptions, deps: ClientDeps): Promise<PendingRequest> {
  const { signal, windowMs = defaultWindowMs } = order;
  const deadlineMs = deps.clock.now() + windowMs;
  const body = RequestBody.parse({
    id: deps.newId(),
    cmd: order.action as ActionName,
    topic: order.topic as Topic,
    service: order.service as ServiceName,
    windowMs,
    notAfterMs: Math.round(deps.clock.wallMs() + windowMs),
    ...(order.nodes === undefined ? {} : { nodes: order.nodes as NodeName[] }),
    ...(order.actionTimeoutMs === undefined ? {} : { timeoutMs: order.actionTimeoutMs }),
  });
  const frame = sealRequest(body);
  const taken = await ask({ frame, reply: Accepted, deadlineMs, signal }, options, deps);
  return new PendingRequest(taken, { deadlineMs, signal, frame, ask: options }, deps);
}

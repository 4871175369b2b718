import type { ActionName, NodeName, RequestId, ServiceName, Topic } from '../wire/fields.ts';
import { Accepted } from '../wire/reply.ts';
import { RequestBody, sealRequest } from '../wire/request.ts';
import { type AskDeps, type AskOptions, ask } from './ask.ts';
import { Collection } from './collection.ts';
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

// The manager counts the same window from a moment later; its last word is worth a short wait.
const lastWordMs = 150;

/** What sending an order needs. */
export interface SendDeps extends AskDeps {
  readonly newId: () => RequestId;
}

/** Resolves when a manager took the order. Rejects with INVALID_MESSAGE for a bad order, and as `ask` does. */
export async function send(order: Order, options: AskOptions, deps: SendDeps): Promise<PendingRequest> {
  const { connections, clock } = deps;
  const { signal, windowMs = defaultWindowMs } = order;
  const deadlineMs = clock.now() + windowMs;
  const body = bodyOf(order, windowMs, deps);
  const frame = sealRequest(body);
  const collecting = { id: body.id, deadlineMs: deadlineMs + lastWordMs, signal, connections, clock };
  const collection = new Collection(collecting);
  // A manager that was asked before publishes where it did then: who listens already misses nothing and waits less.
  const publisher = connections.knownPublisher(options.endpoints[0] ?? '');
  if (publisher !== undefined) collection.listen(publisher);
  try {
    const taken = await ask({ frame, reply: Accepted, deadlineMs, signal }, options, deps);
    const pending = { deadlineMs, signal, frame, ask: options, connections, clock };
    const { uuid: id } = taken.reply;
    if (id === body.id) return new PendingRequest(taken, { ...pending, collection });
    // A v1 manager gives an id of its own, and never says that it is over.
    collection.close();
    return new PendingRequest(taken, {
      ...pending,
      collection: new Collection({ ...collecting, id, deadlineMs }),
    });
  } catch (error) {
    collection.close();
    throw error;
  }
}

/** Throws INVALID_MESSAGE for a bad order. */
function bodyOf(order: Order, windowMs: number, { clock, newId }: SendDeps): RequestBody {
  return RequestBody.parse({
    id: newId(),
    cmd: order.action as ActionName,
    topic: order.topic as Topic,
    service: order.service as ServiceName,
    windowMs,
    notAfterMs: Math.round(clock.wallMs() + windowMs),
    ...(order.nodes === undefined ? {} : { nodes: order.nodes as NodeName[] }),
    ...(order.actionTimeoutMs === undefined ? {} : { timeoutMs: order.actionTimeoutMs }),
  });
}

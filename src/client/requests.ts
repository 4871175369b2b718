import type { Clock } from '../platform/clock.ts';
import type { Sockets } from '../platform/sockets.ts';
import type { ActionName, RequestId, ServiceName, Topic } from '../wire/fields.ts';
import { RequestBody, sealRequest } from '../wire/request.ts';
import type { Answer } from '../wire/result.ts';
import { type AskOptions, ask, type Taken } from './ask.ts';
import { type Collected, collect } from './results.ts';

/** What to do where. The fields are checked before anything is sent. */
export interface Order {
  /** Matched whole: `any`, a system such as `Linux`, a node's name, `role:web`, ... */
  readonly topic: string;
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

/** How a request came out, as far as it is known. */
export interface Summary {
  readonly id: RequestId;
  /** Connected agents that the request was sent to; undefined from a v1 manager, which does not say. */
  readonly expected: number | undefined;
  /** v1 agents on the topic that were not asked, because a v1 agent on a shorter topic would have acted too. */
  readonly withheld: number;
  /** True when every expected agent answered. */
  readonly isComplete: boolean;
  /** Messages about this request that could not be read. */
  readonly unreadable: number;
}

export interface ClientDeps {
  readonly sockets: Sockets;
  readonly clock: Clock;
  readonly newId: () => RequestId;
}

const defaultWindowMs = 5_000;

/** A request that a manager took. Iterate it once for the answers, as they come; then ask for its summary. */
export class PendingRequest implements AsyncIterable<Answer> {
  readonly id: RequestId;
  readonly expected: number | undefined;
  readonly #taken: Taken;
  readonly #deadlineMs: number;
  readonly #signal: AbortSignal | undefined;
  readonly #deps: ClientDeps;
  readonly #collected: Collected = { end: undefined, unreadable: 0 };
  #answers = 0;

  constructor(taken: Taken, deadlineMs: number, signal: AbortSignal | undefined, deps: ClientDeps) {
    // A v1 manager gives an id of its own.
    this.id = taken.accepted.uuid;
    this.expected = taken.accepted.expected;
    this.#taken = taken;
    this.#deadlineMs = deadlineMs;
    this.#signal = signal;
    this.#deps = deps;
  }

  /** Ends when every expected agent has answered or the window is over, whichever is first. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Answer, void, void> {
    const { endpoint, accepted } = this.#taken;
    const publisher = `${endpoint.slice(0, endpoint.lastIndexOf(':'))}:${accepted.port}`;
    const collecting = {
      endpoint: publisher,
      id: this.id,
      deadlineMs: this.#deadlineMs,
      signal: this.#signal,
    };
    for await (const answer of collect(collecting, this.#collected, this.#deps)) {
      this.#answers += 1;
      yield answer;
    }
  }

  /** What is known now; final when the iteration is over. */
  get summary(): Summary {
    const { end, unreadable } = this.#collected;
    const expected = end?.expected ?? this.expected;
    return {
      id: this.id,
      expected,
      withheld: this.#taken.accepted.withheld ?? 0,
      isComplete: expected !== undefined && this.#answers >= expected,
      unreadable,
    };
  }
}

/** Rejects with INVALID_MESSAGE for a bad order, REFUSED, INVALID_REPLY or MANAGER_UNREACHABLE. */
export async function send(order: Order, options: AskOptions, deps: ClientDeps): Promise<PendingRequest> {
  const windowMs = order.windowMs ?? defaultWindowMs;
  const deadlineMs = deps.clock.now() + windowMs;
  const body = RequestBody.parse({
    id: deps.newId(),
    cmd: order.action as ActionName,
    topic: order.topic as Topic,
    service: order.service as ServiceName,
    windowMs,
    ...(order.actionTimeoutMs === undefined ? {} : { timeoutMs: order.actionTimeoutMs }),
  });
  const { signal } = order;
  const asking = signal === undefined ? options : { ...options, signal };
  return new PendingRequest(await ask(sealRequest(body), deadlineMs, asking, deps), deadlineMs, signal, deps);
}

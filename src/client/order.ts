import type { Clock } from '../platform/clock.ts';
import type { ActionName, RequestId, ServiceName } from '../wire/fields.ts';
import { RequestBody, type Rollout } from '../wire/request.ts';

/** What to do where. The fields are checked before anything is sent. */
export interface Order {
  /** Whom it is for: a topic, matched whole (`any`, `Linux`, `web1`, `role:web`), or an expression (docs/TARGETS.md). */
  readonly topic: string;
  /** Aims at these nodes only, 1 to 10,000 names, instead of all that the topic reaches. */
  readonly nodes?: readonly string[];
  /** Nodes in this target are left out; written as `topic`. */
  readonly exclude?: string;
  /** Of what is left only so many nodes, `12`, or so many of a hundred, `25%`, chosen by `seed`. */
  readonly limit?: string;
  /** For `limit` and a random order: the same number, 0 to 4,294,967,295, makes the same choice. Default 0. */
  readonly seed?: number;
  /** Rejects with EXPECTATION_FAILED when it is aimed at another number of nodes, alive and lost ones together. */
  readonly expect?: number;
  /** Rejects with PLAN_CHANGED when it is aimed at other nodes than when `plan` gave this token, or at another action. */
  readonly plan?: string;
  /** Runs it in batches, see docs/ROLLOUT.md. */
  readonly rollout?: Rollout;
  /** `start`, `stop`, `restart`, `status`, ... */
  readonly action: string;
  readonly service: string;
  /**
   * Upper bound of the wall-clock time from here to the last answer, in milliseconds. Default 5,000. Of a rollout: the
   * time of one batch, default 120,000; the whole of it is waited for a day at most.
   */
  readonly windowMs?: number;
  /** Time limit of the action on each node, in milliseconds; the agent's own limit applies where it is shorter. */
  readonly actionTimeoutMs?: number;
  /** How long the service must stay what the action made it, in milliseconds; 0: don't look. Default: the agent's own. */
  readonly settleMs?: number;
  /** A check on the node that must go well after the action: `tcp:PORT`, `http:PORT/PATH` or `exec:NAME`. */
  readonly health?: string;
  /** The agents send what the action prints as it comes, see `PendingRequest.onOutput`. */
  readonly follow?: boolean;
  /** Stops waiting when aborted; the request itself goes on. */
  readonly signal?: AbortSignal;
}

const defaultWindowMs = 5_000;
/** Longer than an agent lets an action take, if it is not set up otherwise: a slow node is not to stop a rollout. */
const defaultBatchMs = 120_000;
/** A rollout has no end that is known before. */
export const rolloutMs = 86_400_000;

/** How long the answers are waited for; of a rollout, those of one batch. */
export function windowOf({ windowMs, rollout }: Pick<Order, 'windowMs' | 'rollout'>): number {
  return windowMs ?? (rollout === undefined ? defaultWindowMs : defaultBatchMs);
}

/** The order as it travels, with an id of its own. Throws INVALID_MESSAGE for a bad one. */
export function bodyOf(order: Order, clock: Clock, newId: () => RequestId): RequestBody {
  const { nodes, exclude, limit, seed, expect, plan, rollout } = order;
  const windowMs = windowOf(order);
  const { settleMs, health, follow, actionTimeoutMs: timeoutMs } = order;
  const goodMs = rollout === undefined ? windowMs : rolloutMs;
  const optional = {
    timeoutMs,
    nodes,
    exclude,
    limit,
    seed,
    expect,
    plan,
    rollout,
    settleMs,
    health,
    follow,
  };
  return RequestBody.parse({
    id: newId(),
    cmd: order.action as ActionName,
    topic: order.topic,
    service: order.service as ServiceName,
    windowMs,
    notAfterMs: Math.round(clock.wallMs() + goodMs),
    sentAtMs: Math.round(clock.wallMs()),
    ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)),
  });
}

import type { PlanReply } from '../wire/query.ts';
import type { AskDeps, AskOptions } from './ask.ts';
import { Collection } from './collection.ts';
import { History } from './history.ts';
import { watchForMissed } from './missed-answers.ts';
import { bodyOf, type Order, rolloutMs, windowOf } from './order.ts';
import { PendingRequest } from './pending-request.ts';
import { watchRollout } from './rollout-watch.ts';
import { askPlan, patienceOf, take } from './take.ts';
import { watchByTakeover } from './takeover.ts';

// The manager counts the same window from a moment later; its last word is worth a short wait.
const lastWordMs = 150;

/** Whom a request would reach now: `plan` is its token, `nodes` are alive, `absent` are not, `batches` are of a rollout. */
export type Plan = Omit<PlanReply, 'success'>;

/** Resolves when a manager took the order. Rejects with INVALID_MESSAGE for a bad order, and as `ask` does. */
export async function send(order: Order, options: AskOptions, deps: AskDeps): Promise<PendingRequest> {
  const { connections, clock } = deps;
  const { signal } = order;
  const isRollout = order.rollout !== undefined;
  const deadlineMs = clock.now() + windowOf(order);
  const body = bodyOf(order, clock, deps.newId);
  const endMs = (isRollout ? clock.now() + rolloutMs : deadlineMs) + lastWordMs;
  const isFollowed = order.follow === true;
  const collecting = { id: body.id, isRollout, isFollowed, deadlineMs: endMs, signal, connections, clock };
  const collection = new Collection(collecting);
  // A manager that was asked before publishes where it did then: who listens already misses nothing and waits less.
  const publisher = connections.knownPublisher(options.endpoints[0] ?? '');
  if (publisher !== undefined) collection.listen(publisher);
  try {
    const patience = { deadlineMs, signal };
    const taken = await take(body, patience, options, deps);
    const { uuid: id } = taken.reply;
    if (id === body.id) {
      const pending = new PendingRequest(taken, collection, connections);
      const history = new History(options, deps);
      if (isRollout) watchRollout(taken.endpoint, collection, history.at(taken.endpoint), deps);
      else {
        const endpointNow = watchByTakeover(taken.endpoint, body, collection, patience, options, deps);
        watchForMissed(collection, () => history.at(endpointNow()), deps);
      }
      return pending;
    }
    // A v1 manager gives an id of its own, and never says that it is over.
    collection.close();
    return new PendingRequest(taken, new Collection({ ...collecting, id, deadlineMs }), connections);
  } catch (error) {
    collection.close();
    throw error;
  }
}

/** Whom the order would reach now. Rejects with INVALID_MESSAGE for a bad order, and as `ask` does. */
export async function plan(order: Order, options: AskOptions, deps: AskDeps): Promise<Plan> {
  const body = bodyOf(order, deps.clock, deps.newId);
  const { reply } = await askPlan(body, patienceOf(options, deps.clock), options, deps);
  const { success: _, ...planned } = reply;
  return planned;
}

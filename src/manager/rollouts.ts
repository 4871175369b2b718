import type { Ledger } from '../core/ledger.ts';
import type { Requests } from '../core/requests.ts';
import type { RolloutPlan, RolloutState } from '../core/rollout.ts';
import type { RolloutAim } from '../core/rollout-run.ts';
import type { Now } from '../core/roster.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import type { Store, StoredRequest } from '../store/store.ts';
import { isServiceManagerError } from '../wire/errors.ts';
import type { NodeName, RequestId } from '../wire/fields.ts';
import type { RolloutInfo } from '../wire/query.ts';
import { keptPlan, keptRollout, readKeptRollout, rolloutInfoOf } from './kept-rollout.ts';
import type { Publisher } from './publisher.ts';
import type { Recorder } from './recorder.ts';

export interface RolloutsDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly store: Store;
  readonly recorder: Recorder;
  readonly publisher: Publisher;
  /** Of all requests, rollouts among them. */
  readonly requests: Requests;
}

/** What rollouts need beside what all requests have: kept in the store, told to who waits, taken up after a restart. */
export class Rollouts {
  readonly #deps: RolloutsDeps;
  /** As they are stored, of those that are not over. */
  readonly #plans = new Map<RequestId, string>();

  constructor(deps: RolloutsDeps) {
    this.#deps = deps;
  }

  add(aim: RolloutAim, plan: RolloutPlan, now: number): Ledger {
    this.#plans.set(aim.id, keptPlan(plan));
    return this.#deps.requests.addRollout(aim, plan, now);
  }

  /** As it is stored at its beginning; undefined for what is no rollout. */
  begun(id: RequestId): string | undefined {
    const plan = this.#plans.get(id);
    const progress = this.#deps.requests.progress(id);
    if (plan === undefined || progress === undefined) return undefined;
    return keptRollout(plan, { batch: 0 }, progress, this.#now());
  }

  load(
    { id, withheld, endedWallMs, isCancelled }: StoredRequest,
    kept: string,
    endsAtMs: number,
    isThere: (node: NodeName) => boolean = () => true,
  ): Ledger {
    const { store, requests } = this.#deps;
    const now = this.#now();
    const { plan, state } = readKeptRollout(kept, now);
    const isOver = endedWallMs !== undefined;
    if (!isOver) this.#plans.set(id, keptPlan(plan));
    const aim = { id, withheld, endsAtMs };
    const past = { aim, plan, state, entries: store.entries(id), isOver, isCancelled, isThere };
    return requests.restoreRollout(past, now.ms);
  }

  /** Nobody is asked before it is stored that his turn has come: a manager that restarts must not lose count. */
  save(id: RequestId, state: RolloutState): void {
    const { requests, recorder, store, publisher, log } = this.#deps;
    const plan = this.#plans.get(id);
    const progress = requests.progress(id);
    if (plan === undefined || progress === undefined) return;
    const now = this.#now();
    const info = rolloutInfoOf(progress, now);
    log.info('rollout.progress', { id, ...info });
    publisher.rollout(id, info);
    try {
      recorder.flush();
      store.updateRequest(id, { rollout: keptRollout(plan, state, progress, now) });
    } catch (error) {
      if (!isServiceManagerError(error)) throw error;
      // What was not stored is done again after a restart, in the same order: the agents know the id.
      log.error('store.failed', { id, error });
    }
  }

  /** How far it is; undefined for what is no rollout. */
  info(id: RequestId): RolloutInfo | undefined {
    const progress = this.#deps.requests.progress(id);
    return progress === undefined ? undefined : rolloutInfoOf(progress, this.#now());
  }

  /** Until when who is asked now may begin, in milliseconds since 1970; undefined for what is no rollout. */
  endOfBatch(id: RequestId): number | undefined {
    if (!this.#plans.has(id)) return undefined;
    const { ms, wallMs } = this.#now();
    return Math.round(wallMs + (this.#deps.requests.get(id)?.endsAtMs ?? ms) - ms);
  }

  /** It is over. */
  forget(id: RequestId): void {
    this.#plans.delete(id);
  }

  #now(): Now {
    const { clock } = this.#deps;
    return { ms: clock.now(), wallMs: clock.wallMs() };
  }
}

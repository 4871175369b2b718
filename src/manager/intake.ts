import type { Ledger } from '../core/ledger.ts';
import type { Clock } from '../platform/clock.ts';
import { isServiceManagerError, ServiceManagerError } from '../wire/errors.ts';
import { type Accepted, type Failure, failureOf } from '../wire/reply.ts';
import type { CheckedRequest } from '../wire/request.ts';
import { type AimedAt, aimAt } from './aim.ts';
import { absenceOf } from './node-info.ts';
import type { Plans } from './plans.ts';
import type { PresenceDesk } from './presence.ts';
import type { RequestDesk } from './requests.ts';

export interface IntakeDeps {
  readonly clock: Clock;
  readonly presence: PresenceDesk;
  readonly requests: RequestDesk;
  readonly plans: Plans;
  readonly port: () => number;
}

export type Verdict =
  | { readonly kind: 'opened' | 'repeated'; readonly reply: Accepted }
  | { readonly kind: 'refused'; readonly reply: Failure };

/** Decides on a checked request: open it, say again what was said of it before, or refuse it. */
export class Intake {
  readonly #deps: IntakeDeps;

  constructor(deps: IntakeDeps) {
    this.#deps = deps;
  }

  take(request: CheckedRequest): Verdict {
    try {
      const known = request.version === 'v1' ? undefined : this.#deps.requests.find(request.body.id);
      if (known !== undefined) return { kind: 'repeated', reply: this.#accepted(request, known) };
      const aimedAt = this.#aim(request);
      return { kind: 'opened', reply: this.#accepted(request, this.#deps.requests.open(request, aimedAt)) };
    } catch (error) {
      if (!isServiceManagerError(error)) throw error;
      return { kind: 'refused', reply: failureOf(error) };
    }
  }

  #aim(request: CheckedRequest): AimedAt {
    const { presence, requests, plans } = this.#deps;
    if (requests.isFull) {
      throw new ServiceManagerError(
        'TOO_BUSY',
        `${requests.openCount} requests are open already; try again later`,
      );
    }
    const aimedAt = aimAt(request, presence);
    plans.check(request.body, aimedAt);
    return aimedAt;
  }

  #accepted({ version, body }: CheckedRequest, ledger: Ledger): Accepted {
    const { roster } = this.#deps.presence;
    const now = this.#deps.clock.now();
    const nodes: string[] = [];
    const unreachable = [];
    for (const { node, outcome, isAnonymous } of ledger.entries()) {
      // It is among the v1 agents that were counted when they had no name.
      if (isAnonymous) continue;
      const member = roster.get(node);
      if (outcome !== 'unreachable') nodes.push(node);
      else if (member !== undefined) unreachable.push(absenceOf(member, now));
    }
    const expected = nodes.length + ledger.anonymous;
    const reply = { uuid: body.id, port: this.#deps.port(), v: 2, expected, withheld: ledger.withheld };
    return version === 'v1' ? reply : { ...reply, nodes, unreachable };
  }
}

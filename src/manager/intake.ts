import type { Ledger } from '../core/ledger.ts';
import type { Clock } from '../platform/clock.ts';
import { isServiceManagerError, ServiceManagerError } from '../wire/errors.ts';
import { type Accepted, type Failure, failureOf } from '../wire/reply.ts';
import type { CheckedRequest } from '../wire/request.ts';
import { aimAt, type Permissions } from './aim.ts';
import type { AimedAt } from './aimed-at.ts';
import { absenceOf } from './node-info.ts';
import type { Plans } from './plans.ts';
import type { PolicyDesk } from './policy-desk.ts';
import type { PresenceDesk } from './presence.ts';
import type { RequestDesk } from './requests.ts';
import type { Sender } from './signatures.ts';

export interface IntakeDeps {
  readonly clock: Clock;
  readonly presence: PresenceDesk;
  readonly requests: RequestDesk;
  readonly plans: Plans;
  readonly policy: PolicyDesk;
  readonly port: () => number;
  /** Requests that one operator may have open at a time. */
  readonly maxOpenEach: () => number;
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

  /** `sender`: who signed it; undefined where there is no security. */
  take(request: CheckedRequest, sender: Sender | undefined): Verdict {
    try {
      const known = request.version === 'v1' ? undefined : this.#known(request);
      if (known !== undefined) return { kind: 'repeated', reply: this.#accepted(request, known) };
      const aimedAt = this.#aim(request, sender);
      const ledger = this.#deps.requests.open(request, aimedAt, sender);
      return { kind: 'opened', reply: this.#accepted(request, ledger) };
    } catch (error) {
      if (!isServiceManagerError(error)) throw error;
      return { kind: 'refused', reply: failureOf(error) };
    }
  }

  /** The ledger of the same request. Throws REPLAYED for another one with its id, and for one that is forgotten. */
  #known({ body: { id }, bodyBytes }: CheckedRequest): Ledger | undefined {
    const { requests } = this.#deps;
    const known = requests.find(id);
    const isOther = known === undefined ? requests.isSpent(id) : !requests.isSame(id, bodyBytes);
    if (isOther)
      throw new ServiceManagerError(
        'REPLAYED',
        `request ${id}: another one had this id, or it was over long ago`,
      );
    return known;
  }

  #aim(request: CheckedRequest, sender: Sender | undefined): AimedAt {
    const { presence, plans, policy } = this.#deps;
    this.#refuseTooMany(sender);
    const permissions = sender === undefined ? undefined : permissionsOf(sender, policy);
    const aimedAt = aimAt(request, presence, permissions);
    plans.check(request.body, aimedAt);
    return aimedAt;
  }

  #refuseTooMany(sender: Sender | undefined): void {
    const { requests, maxOpenEach } = this.#deps;
    const own = sender === undefined ? 0 : requests.openCountOf(sender.fingerprint);
    const isFull = requests.isFull || own >= maxOpenEach();
    if (!isFull) return;
    const text = requests.isFull
      ? `${requests.openCount} requests are open already`
      : `${own} requests of ${sender?.asker.name} are open already`;
    throw new ServiceManagerError('TOO_BUSY', `${text}; try again later`);
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
    const { sentAtMs } = body;
    const clockOffsetMs =
      sentAtMs === undefined ? {} : { clockOffsetMs: sentAtMs - this.#deps.clock.wallMs() };
    const reply = { uuid: body.id, port: this.#deps.port(), v: 2, expected, withheld: ledger.withheld };
    return version === 'v1' ? reply : { ...reply, nodes, unreachable, ...clockOffsetMs };
  }
}

/** What this sender may do. */
export function permissionsOf(sender: Sender, policy: PolicyDesk): Permissions {
  return {
    denials: (body, members) => policy.denials(sender.asker, body, members),
    dependsOnPlace: (body) => policy.dependsOnPlace(sender.asker, body),
  };
}

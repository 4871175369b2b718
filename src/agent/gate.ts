import { couldMean, targetMatcher } from '../core/target-match.ts';
import type { Clock } from '../platform/clock.ts';
import type { Fingerprint } from '../security/fingerprint.ts';
import type { PublicKeyFile } from '../security/key-file.ts';
import {
  type Asker,
  actionsOf,
  type Decision,
  decide,
  describeDenial,
  type Policy,
} from '../security/policy.ts';
import { verifyBody } from '../security/signature.ts';
import { isPast, isTooFarAhead } from '../security/skew.ts';
import type { Signed } from '../wire/dispatch.ts';
import type { ErrorCode } from '../wire/errors.ts';
import type { NodeName, RequestId, ServiceName, Topic } from '../wire/fields.ts';
import { Query } from '../wire/query.ts';
import { RequestBody } from '../wire/request.ts';

/**
 * In whose name this agent acts. `manager`: whatever a manager sends. `operators`: only what somebody it knows has signed,
 * so that whoever has taken over a manager can keep requests back, but make none.
 */
export type Trust =
  | { readonly kind: 'manager' }
  | { readonly kind: 'operators'; readonly known: ReadonlyMap<Fingerprint, KnownOperator> };

/** Somebody whose signature counts here, by his public keys. */
export type KnownOperator = PublicKeyFile & { readonly kind: 'operator' | 'monitor' };

export interface GateRules {
  readonly trust: Trust;
  readonly policy: Policy;
}

/** Of an agent that does what its managers say. */
export const trustingRules: GateRules = { trust: { kind: 'manager' }, policy: { rules: [] } };

export interface GateOptions {
  readonly rules: GateRules;
  readonly clock: Clock;
  readonly node: NodeName;
  readonly topics: () => ReadonlySet<Topic>;
  /** All services that may be touched where this one is named: its other names, and the members of a bundle. */
  readonly namesOf: (service: ServiceName) => readonly ServiceName[];
}

/** Who asks, or why it is not done. */
export type Pass =
  | { readonly isGood: true; readonly asker: Asker; readonly fingerprint: Fingerprint | undefined }
  | { readonly isGood: false; readonly code: ErrorCode; readonly reason: string };

/** The last word on what is done on this host: whose requests count, and what the policy of the host lets them do. */
export class Gate {
  readonly #options: GateOptions;
  #rules: GateRules;

  constructor(options: GateOptions) {
    this.#options = options;
    this.#rules = options.rules;
  }

  replace(rules: GateRules): void {
    this.#rules = rules;
  }

  /** `manager`: the name of who sent it. */
  request(body: RequestBody, signed: Signed | undefined, manager: string): Pass {
    const sender = this.#sender(signed, manager);
    if (!sender.isGood) return sender;
    const denial = this.#denial(sender.asker, body);
    return denial === undefined ? sender : { isGood: false, code: 'POLICY_DENIED', reason: denial };
  }

  /**
   * Whether this request, which runs, may be ended: by whoever might have begun it. What has not begun need not begin,
   * whoever says so: that harms nothing.
   */
  mayEnd(body: RequestBody, signed: Signed | undefined): boolean {
    const { trust } = this.#rules;
    if (trust.kind === 'manager') return true;
    const ender = signed === undefined ? undefined : enderOf(body.id, signed, trust.known);
    return ender !== undefined && this.#denial({ role: ender.kind, name: ender.name }, body) === undefined;
  }

  #sender(signed: Signed | undefined, manager: string): Pass {
    const { trust } = this.#rules;
    if (trust.kind === 'manager')
      return { isGood: true, asker: { role: 'manager', name: manager }, fingerprint: undefined };
    if (signed === undefined || signed.signature === '')
      return unauthenticated('it is not signed, and this node obeys nobody but the operators that it knows');
    const { bytes, signature } = signed;
    const verdict = verifyBody('request', bytes, signature, (key) => trust.known.get(key)?.keys.sign);
    if (!verdict.isGood) return unauthenticated(badSignature(verdict));
    const { fingerprint } = verdict;
    const operator = trust.known.get(fingerprint);
    if (operator === undefined) return unauthenticated(`this node does not know ${fingerprint}`);
    return (
      this.#unmeant(bytes) ?? {
        isGood: true,
        asker: { role: operator.kind, name: operator.name },
        fingerprint,
      }
    );
  }

  /** What somebody has signed for other nodes, or for another time, is worth nothing here and now. */
  #unmeant(bytes: Buffer): Pass | undefined {
    const { clock, node, topics } = this.#options;
    // Not what the manager has made of it: that may be good for longer.
    const said = RequestBody.tryDecode(bytes);
    if (said === undefined) return unauthenticated('what was signed is no request');
    const { notAfterMs } = said;
    const nowMs = clock.wallMs();
    if (notAfterMs === undefined || isTooFarAhead(notAfterMs, nowMs))
      return {
        ...{ isGood: false, code: 'INVALID_MESSAGE' },
        reason: 'field notAfterMs of what was signed, expected a time at most a day ahead',
      };
    if (isPast(notAfterMs, nowMs))
      return { isGood: false, code: 'REQUEST_EXPIRED', reason: 'the time of what was signed is over' };
    if (couldMean(said, { name: node, topics: topics() })) return undefined;
    const reason = `what was signed is for "${said.nodes?.join(',') ?? said.topic}", and that is not this node`;
    return { isGood: false, code: 'NOT_MEANT', reason: reason.slice(0, longestReason) };
  }

  #denial(asker: Asker, body: RequestBody): string | undefined {
    for (const action of actionsOf(body)) {
      const denied = this.#deniedBy(asker, action, body.service);
      if (denied !== undefined) return describeDenial(action, denied);
    }
    return undefined;
  }

  #deniedBy(asker: Asker, action: string, service: ServiceName): Decision | undefined {
    const { node, topics, namesOf } = this.#options;
    const place = { name: node, topics: topics() };
    const isAt = (target: string) => targetMatcher(target)(place);
    const about = (name: string) => decide(this.#rules.policy, { asker, action, service: name, isAt });
    const named = about(service);
    if (!named.isAllowed) return named;
    // Nobody has to allow each name that a service may have; to deny one of them is enough.
    return namesOf(service)
      .map(about)
      .find(({ rule }) => rule?.verb === 'deny');
  }
}

const longestReason = 300;

/** The operator who has signed that this request is to be ended. */
function enderOf(
  id: RequestId,
  { bytes, signature }: Signed,
  known: ReadonlyMap<Fingerprint, KnownOperator>,
): KnownOperator | undefined {
  const verdict = verifyBody('query', bytes, signature, (fingerprint) => known.get(fingerprint)?.keys.sign);
  const query = Query.tryDecode(bytes);
  if (!verdict.isGood || query?.query !== 'cancel' || query.id !== id) return undefined;
  const signer = known.get(verdict.fingerprint);
  return signer?.kind === 'operator' ? signer : undefined;
}

function unauthenticated(reason: string): Pass {
  return { isGood: false, code: 'UNAUTHENTICATED', reason };
}

function badSignature(verdict: Exclude<ReturnType<typeof verifyBody>, { isGood: true }>): string {
  if (verdict.reason === 'malformed') return 'its signature is of no known form';
  return verdict.reason === 'unknown'
    ? `it is signed with ${verdict.fingerprint}, which this node does not know`
    : `it is not what ${verdict.fingerprint} has signed`;
}

import { RateLimit } from '../core/rate-limit.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import { networkOf } from '../platform/refusal-limit.ts';
import type { AdmissionRules, Peer, RefusedHandshake } from '../platform/socket-security.ts';
import { fingerprintOf } from '../security/fingerprint.ts';
import type { KeyRing } from '../security/key-ring.ts';
import { type CurvePublic, curvePublicFrom } from '../security/keys.ts';
import type { Auditor } from '../store/auditor.ts';
import { type Door, isDoor, mayEnter, type Visitor } from './doors.ts';
import type { OwnKeys } from './own-keys.ts';

export interface AdmissionDeskDeps {
  /** Of each socket but that for strangers. */
  readonly maxConnections: number;
  /** Strangers are refused because too many others are there. */
  readonly onJoinFull: () => void;
  readonly ring: KeyRing;
  readonly own: OwnKeys;
  readonly clock: Clock;
  readonly log: Log;
  readonly auditor: Auditor;
}

const refusalIntervalMs = 60_000;
const maxRefusedAddresses = 10_000;
const maxAddresses = { ofKnown: 50_000, ofStrangers: 10_000 };
// Strangers stay for one question.
const maxStrangers = 200;

/** Decides who may connect to which socket: asked once for each connection, when its handshake is through. */
export class AdmissionDesk implements AdmissionRules {
  readonly #deps: AdmissionDeskDeps;
  readonly #refusals = new RateLimit(refusalIntervalMs, maxRefusedAddresses);
  /** By CURVE key. Strangers, who may be many, do not crowd out the others. */
  readonly #addresses = new Map<string, string>();
  readonly #addressesOfStrangers = new Map<string, string>();
  #refused = 0;

  constructor(deps: AdmissionDeskDeps) {
    this.#deps = deps;
  }

  /** Handshakes that were refused, for whichever reason. */
  get refused(): number {
    return this.#refused;
  }

  /** Where the owner of this CURVE key was last seen. */
  addressOf(curve: string): string | undefined {
    return this.#addresses.get(curve) ?? this.#addressesOfStrangers.get(curve);
  }

  readonly decide = ({ domain, address, publicKey }: Peer): boolean => {
    const curve = curvePublicFrom(publicKey);
    if (!isDoor(domain) || !mayEnter(domain, this.#visitor(domain, curve))) return false;
    if (domain === 'join') note(this.#addressesOfStrangers, maxAddresses.ofStrangers, curve, address);
    else note(this.#addresses, maxAddresses.ofKnown, curve, address);
    return true;
  };

  readonly maxConnections = (domain: string): number =>
    domain === 'join' ? maxStrangers : this.#deps.maxConnections;

  readonly onRefused = (refusal: RefusedHandshake): void => {
    this.#refused += 1;
    const { domain, reason, address, publicKey, cause } = refusal;
    if (domain === 'join' && reason === 'too many connections') this.#deps.onJoinFull();
    const from = address === undefined ? '' : networkOf(address);
    const heldBack = this.#refusals.pass(`${domain} ${reason} ${from}`, this.#deps.clock.now());
    if (heldBack === undefined) return;
    // The whole of a fingerprint needs the signing key as well, which a handshake does not show.
    const key =
      publicKey === undefined ? {} : { curve: fingerprintOf({ curve: curvePublicFrom(publicKey) }) };
    const fields = { door: domain, reason, ...(address === undefined ? {} : { address }), ...key, heldBack };
    this.#deps.log.warn('handshake.refused', { ...fields, ...(cause === undefined ? {} : { error: cause }) });
    this.#deps.auditor.strange('handshake.refused', fields);
  };

  #visitor(door: Door, curve: CurvePublic): Visitor {
    const { ring, own } = this.#deps;
    if (curve === own.current.publicKey) return 'owner';
    if (door === 'join') return 'stranger';
    return ring.byCurve(curve)?.role ?? 'stranger';
  }
}

function note(addresses: Map<string, string>, maxCount: number, curve: string, address: string): void {
  addresses.delete(curve);
  addresses.set(curve, address);
  const [oldest] = addresses.keys();
  if (addresses.size > maxCount && oldest !== undefined) addresses.delete(oldest);
}

import { RateLimit } from '../core/rate-limit.ts';
import { TokenBuckets } from '../core/token-bucket.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import { networkOf } from '../platform/refusal-limit.ts';
import type { Fingerprint } from '../security/fingerprint.ts';
import { checkJoin } from '../security/join-check.ts';
import type { JoinVerdict, KeyRing } from '../security/key-ring.ts';
import type { AuditFields, Auditor } from '../store/auditor.ts';
import { isServiceManagerError, ServiceManagerError } from '../wire/errors.ts';
import type { NodeName } from '../wire/fields.ts';
import { type JoinReply, JoinRequest, type ManagerPorts } from '../wire/join.ts';
import { type Failure, failure, failureOf } from '../wire/reply.ts';
import type { AdmissionDesk } from './admission-desk.ts';
import type { KeyDesk } from './key-desk.ts';
import type { OwnKeys } from './own-keys.ts';

export interface JoinDeskDeps {
  readonly ring: KeyRing;
  readonly own: OwnKeys;
  readonly keys: KeyDesk;
  readonly admission: AdmissionDesk;
  readonly auditor: Auditor;
  readonly clock: Clock;
  readonly log: Log;
  /** What the manager calls itself. */
  readonly name: NodeName;
  readonly ports: () => ManagerPorts;
}

// Strangers may ask: each question costs half a millisecond of arithmetic. One of them must not keep the others out.
const rate = { perSecond: 50, burst: 500, maxKeys: 1 };
const rateOfEach = { perSecond: 20, burst: 250, maxKeys: 10_000 };
// Each is written down, and who has a key must not push out the rest with a new one twenty times a second.
const rateOfRotations = { perSecond: 1 / 60, burst: 10, maxKeys: 10_000 };
const logIntervalMs = 60_000;
const maxLogged = 10_000;

/** Answers who wants to be let in, or wants a new key. */
export class JoinDesk {
  readonly #deps: JoinDeskDeps;
  readonly #bucket = new TokenBuckets(rate);
  readonly #buckets = new TokenBuckets(rateOfEach);
  /** Of new keys in the place of others, by the owner. */
  readonly #rotations = new TokenBuckets(rateOfRotations);
  /** Refusals, by code and network. */
  readonly #logged = new RateLimit(logIntervalMs, maxLogged);
  #refused = 0;

  constructor(deps: JoinDeskDeps) {
    this.#deps = deps;
  }

  get refused(): number {
    return this.#refused;
  }

  /** Never throws for what a peer sent. */
  answer(frames: readonly Buffer[]): JoinReply | Failure {
    const [frame] = frames;
    try {
      if (frame === undefined || frames.length !== 1)
        throw new ServiceManagerError('FRAME_COUNT', `join message of ${frames.length} frames, expected 1`);
      return this.#join(JoinRequest.decode(frame));
    } catch (error) {
      if (!isServiceManagerError(error)) throw error;
      this.#refused += 1;
      return failureOf(error);
    }
  }

  #join(request: JoinRequest): JoinReply | Failure {
    const { ring, own, keys, clock, admission } = this.#deps;
    const nowWallMs = clock.wallMs();
    const address = admission.addressOf(request.curve);
    this.#refuseTooMany(networkOf(address ?? ''));
    const keyOf = (fingerprint: Fingerprint) => ring.byFingerprint(fingerprint);
    const ask = checkJoin(request, { manager: own.current, nowWallMs, address, keyOf });
    if (ask.replaces !== undefined) this.#refuseTooManyRotations(request);
    const verdict = ring.join(ask, nowWallMs);
    this.#tell(request, address, verdict);
    keys.store(verdict.effects);
    if (verdict.kind === 'refused') {
      this.#refused += 1;
      return failure(verdict.code, verdict.reason);
    }
    return {
      ...{ success: 0, state: verdict.kind, fingerprint: verdict.entry.fingerprint },
      ...{ manager: this.#deps.name, ports: this.#deps.ports() },
      ...(own.nextKey === undefined ? {} : { nextKey: own.nextKey }),
    };
  }

  #refuseTooMany(network: string): void {
    const now = this.#deps.clock.now();
    if (this.#buckets.take(network, now) && this.#bucket.take('', now)) return;
    throw new ServiceManagerError('TOO_BUSY', 'too many want to join at once; try again later');
  }

  #refuseTooManyRotations({ role, name }: JoinRequest): void {
    if (this.#rotations.take(`${role} ${name}`, this.#deps.clock.now())) return;
    throw new ServiceManagerError('TOO_BUSY', `${role} ${name} changes its key too often; try again later`);
  }

  #tell(
    { role, name, token, replaces }: JoinRequest,
    address: string | undefined,
    verdict: JoinVerdict,
  ): void {
    const about = {
      ...{ role, name },
      ...(address === undefined ? {} : { address }),
      ...(token === undefined ? {} : { token }),
      ...(replaces === undefined ? {} : { replaces }),
    };
    if (verdict.kind === 'refused') this.#tellRefusal(about, address, verdict);
    else if (verdict.isNew) {
      const event = `key.${verdict.kind}`;
      const fields = { ...about, fingerprint: verdict.entry.fingerprint };
      this.#deps.log.info(event, fields);
      this.#deps.auditor.event(event, fields);
    }
  }

  #tellRefusal(
    about: AuditFields,
    address: string | undefined,
    { code, reason }: Extract<JoinVerdict, { kind: 'refused' }>,
  ): void {
    const { log, auditor, clock } = this.#deps;
    const event = code === 'NAME_TAKEN' ? 'key.name_taken' : 'key.refused';
    const fields = { ...about, code, reason };
    auditor.strange(event, fields);
    const heldBack = this.#logged.pass(`${code} ${networkOf(address ?? '')}`, clock.now());
    if (heldBack !== undefined) log.warn(event, { ...fields, heldBack });
  }
}

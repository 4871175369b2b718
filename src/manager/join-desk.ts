import { TokenBuckets } from '../core/token-bucket.ts';
import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import { checkJoin } from '../security/join-check.ts';
import type { JoinVerdict, KeyRing } from '../security/key-ring.ts';
import { isServiceManagerError, ServiceManagerError } from '../wire/errors.ts';
import type { NodeName } from '../wire/fields.ts';
import { type JoinReply, JoinRequest, type ManagerPorts } from '../wire/join.ts';
import { type Failure, failure, failureOf } from '../wire/reply.ts';
import type { AdmissionDesk } from './admission-desk.ts';
import type { Auditor } from './auditor.ts';
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

// Strangers may ask: each question costs half a millisecond of arithmetic.
const rate = { perSecond: 50, burst: 500, maxKeys: 1 };

/** Answers who wants to be let in, or wants a new key. */
export class JoinDesk {
  readonly #deps: JoinDeskDeps;
  readonly #buckets = new TokenBuckets(rate);
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
      if (!this.#buckets.take('', this.#deps.clock.now()))
        throw new ServiceManagerError('TOO_BUSY', 'too many want to join at once; try again later');
      return this.#join(JoinRequest.decode(frame));
    } catch (error) {
      if (!isServiceManagerError(error)) throw error;
      this.#refused += 1;
      return failureOf(error);
    }
  }

  #join(request: JoinRequest): JoinReply | Failure {
    const { ring, own, clock, admission } = this.#deps;
    const nowWallMs = clock.wallMs();
    const curve = request.curve as Parameters<typeof admission.addressOf>[0];
    const ask = checkJoin(request, {
      manager: own.current,
      nowWallMs,
      address: admission.addressOf(curve),
      keyOf: (fingerprint) => ring.byFingerprint(fingerprint),
    });
    const verdict = ring.join(ask, nowWallMs);
    this.#tell(request, ask.address, verdict);
    this.#deps.keys.store(verdict.effects);
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

  #tell(
    { role, name, token, replaces }: JoinRequest,
    address: string | undefined,
    verdict: JoinVerdict,
  ): void {
    const { log, auditor } = this.#deps;
    const who = { role, name, ...(address === undefined ? {} : { address }) };
    const how = {
      ...(token === undefined ? {} : { token }),
      ...(replaces === undefined ? {} : { replaces }),
    };
    if (verdict.kind === 'refused') {
      const { code, reason } = verdict;
      const event = code === 'NAME_TAKEN' ? 'key.name_taken' : 'key.refused';
      log.warn(event, { ...who, ...how, code, reason });
      auditor.strange(event, { ...who, ...how, code, reason });
    } else if (verdict.isNew) {
      const event = `key.${verdict.kind}`;
      const fields = { ...who, ...how, fingerprint: verdict.entry.fingerprint };
      log.info(event, fields);
      auditor.event(event, fields);
    }
  }
}

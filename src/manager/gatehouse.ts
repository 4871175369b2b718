import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import { networkOf } from '../platform/refusal-limit.ts';
import type { ServerSecurity } from '../platform/socket-security.ts';
import type { JoinToken } from '../security/join-token.ts';
import type { KeyEntry } from '../security/key-index.ts';
import { KeyRing, keyRingBounds } from '../security/key-ring.ts';
import type { CurveKeys } from '../security/keys.ts';
import type { Policy } from '../security/policy.ts';
import type { Auditor } from '../store/auditor.ts';
import type { KeyStore } from '../store/key-store.ts';
import type { NodeName } from '../wire/fields.ts';
import type { ManagerPorts } from '../wire/join.ts';
import { AdmissionDesk } from './admission-desk.ts';
import { AgentProofs } from './agent-proofs.ts';
import { type BoundSockets, portOf, socketsOfDoors } from './bound-sockets.ts';
import type { Door } from './doors.ts';
import { Floods, type TopicDoor } from './floods.ts';
import { JoinDesk } from './join-desk.ts';
import { KeyDesk } from './key-desk.ts';
import { type KeptKeys, type KeyKeeper, OwnKeys } from './own-keys.ts';
import { PolicyDesk } from './policy-desk.ts';
import { Reopening } from './reopening.ts';
import { type Sender, Signatures } from './signatures.ts';

/** What a manager with security has beside all others. */
export interface ManagerSecurity {
  /** What it calls itself to who joins. */
  readonly name: NodeName;
  readonly keys: KeptKeys;
  readonly keeper: KeyKeeper;
  readonly store: KeyStore;
  readonly policy: Policy;
  readonly limits: SecurityLimits;
  readonly maxPending: number;
  /** Of each socket. */
  readonly maxConnections: number;
  /** Undefined: nobody may ask to be let in. */
  readonly joinEndpoint: string | undefined;
  /** Random ones. */
  readonly newToken: () => Pick<JoinToken, 'id' | 'secret'>;
  readonly newCurveKeys: () => CurveKeys;
}

/** Of each operator and monitor. */
export interface SecurityLimits {
  readonly requestsPerSecond: number;
  readonly openRequests: number;
}

export interface GatehouseDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly auditor: Auditor;
  /** A socket was lost while its key was changed. */
  readonly fail: (error: unknown) => void;
}

const tickMs = 1_000;
const topicsEach = 50;
const spareTopics = 1_000;
const topicsOfPeople = 50_000;
const ofAgents: readonly Door[] = ['backend', 'sink'];
const ofPeople: readonly Door[] = ['frontend', 'publisher'];
const allDoors: readonly Door[] = [...ofAgents, ...ofPeople, 'management', 'join'];

/** All that stands at the doors of a manager with security: who is known, who may come in, what proves who sent what. */
export class Gatehouse {
  readonly ring: KeyRing;
  readonly own: OwnKeys;
  readonly admission: AdmissionDesk;
  readonly signatures: Signatures;
  readonly proofs: AgentProofs;
  readonly policy: PolicyDesk;
  readonly keys: KeyDesk;
  readonly join: JoinDesk;
  readonly floods: Floods;
  readonly #deps: GatehouseDeps;
  #limits: SecurityLimits;
  #ports: ManagerPorts = { frontend: 0, backend: 0, sink: 0, publisher: 0 };
  #reopening: Reopening | undefined;
  #nextTickMs = 0;

  constructor(security: ManagerSecurity, deps: GatehouseDeps) {
    const { clock, log, auditor } = deps;
    const { keys, keeper, store, limits, newToken, newCurveKeys, name } = security;
    const ring = new KeyRing({ ...keyRingBounds, maxPending: security.maxPending }, networkOf);
    const own = new OwnKeys(keys, keeper);
    const shared = { ring, own, clock, log, auditor };
    this.#deps = deps;
    this.#limits = limits;
    this.ring = ring;
    this.own = own;
    this.floods = new Floods({
      ...{ clock, log, auditor },
      reopen: (door) => this.#reopen([door]),
    });
    this.admission = new AdmissionDesk({
      ...{ ...shared, maxConnections: security.maxConnections },
      onJoinFull: () => this.floods.strangerRefused(),
    });
    this.signatures = new Signatures({ ring, clock, requestsPerSecond: limits.requestsPerSecond });
    this.proofs = new AgentProofs(ring, own);
    this.policy = new PolicyDesk(security.policy);
    this.keys = new KeyDesk({
      ...{ ...shared, store, newToken, newCurveKeys },
      onShutOut: (entry) => this.#shutOut(entry),
    });
    const ports = () => this.#ports;
    this.join = new JoinDesk({ ...shared, keys: this.keys, admission: this.admission, name, ports });
    this.keys.restore();
  }

  get maxOpenEach(): number {
    return this.#limits.openRequests;
  }

  /**
   * That all peers of a door together may listen to. An agent has its name and some ten more, and few have a hundred; a
   * client has some for each request.
   */
  maxTopics(door: TopicDoor): number {
    return door === 'publisher' ? topicsOfPeople : spareTopics + topicsEach * this.ring.agentCount;
  }

  readonly securityOf = (door: Door): ServerSecurity => this.own.securityOf(door);

  /** The doors are open from now on. */
  opened(sockets: BoundSockets): void {
    const { frontend, backend, sink, publisher } = sockets;
    this.#ports = {
      ...{ frontend: portOf(frontend), backend: portOf(backend) },
      ...{ sink: portOf(sink), publisher: portOf(publisher) },
    };
    this.#reopening = new Reopening(socketsOfDoors(sockets), this.securityOf, this.#deps.log);
  }

  /** Where whoever signed this was last seen. */
  addressOf({ fingerprint }: Sender): string | undefined {
    const curve = this.ring.byFingerprint(fingerprint)?.keys.curve;
    return curve === undefined ? undefined : this.admission.addressOf(curve);
  }

  reconfigure(limits: SecurityLimits): void {
    this.#limits = limits;
    this.signatures.reconfigure(limits.requestsPerSecond);
  }

  tick(nowMs: number): void {
    if (nowMs < this.#nextTickMs) return;
    this.#nextTickMs = nowMs + tickMs;
    this.keys.tick();
    this.floods.tick();
    if (this.keys.switchOverIfDue(this.#deps.clock.wallMs())) void this.#reopen(allDoors);
  }

  #shutOut({ role, name }: KeyEntry): void {
    if (role === 'agent') this.proofs.forget(name as NodeName);
    void this.#reopen(role === 'agent' ? ofAgents : ofPeople);
  }

  async #reopen(doors: readonly Door[]): Promise<void> {
    await this.#reopening?.reopen(doors).catch(this.#deps.fail);
  }
}

import type { ClientSecurity } from '../platform/socket-security.ts';
import { agentProofKey, type ProofKey, sinkMac } from '../security/agent-proof.ts';
import {
  type CurveKeys,
  type CurvePublic,
  curveBytes,
  curvePublicFrom,
  isCurvePublic,
} from '../security/keys.ts';
import { type KnownManager, keysOfManager, withNextKey, withProvedKey } from '../security/known-manager.ts';

/** What the agent proves by who it is to one manager, and knows the manager by. */
export interface CredentialsOptions {
  readonly own: CurveKeys;
  /** Those that may be at the other end, the likeliest first. At least one. */
  readonly managers: readonly KnownManager[];
  /** A manager is known by another key from now on. Never throws. */
  readonly keep: (manager: KnownManager) => void;
}

const none = Buffer.alloc(0);

/** For one link: its own keys, the manager's, and the proofs that are made with both. */
export class Credentials {
  readonly #keep: (manager: KnownManager) => void;
  #own: CurveKeys;
  #managers: readonly KnownManager[];
  /** The key that the other end has shown to have; before that the likeliest. */
  #proved: CurvePublic;
  #isProved = false;
  #proofKey: ProofKey;

  constructor({ own, managers, keep }: CredentialsOptions) {
    const [first] = managers;
    if (first === undefined) throw new TypeError('a link has one manager at least');
    this.#own = own;
    this.#managers = managers;
    this.#keep = keep;
    this.#proved = first.key;
    this.#proofKey = agentProofKey(own, first.key);
  }

  get security(): ClientSecurity {
    const { publicKey, secretKey } = this.#own;
    const keys = new Set([this.#proved, ...this.#managers.flatMap(keysOfManager)]);
    return {
      kind: 'client',
      ...{ publicKey: curveBytes(publicKey), secretKey: curveBytes(secretKey) },
      serverKeys: [...keys].map(curveBytes),
    };
  }

  get own(): CurveKeys {
    return this.#own;
  }

  /** As they are known now. */
  get managers(): readonly KnownManager[] {
    return this.#managers;
  }

  /** What the manager at the other end calls itself. */
  get managerName(): string {
    return this.#managers.find((manager) => keysOfManager(manager).includes(this.#proved))?.name ?? '';
  }

  /** Whether it is sure for whom proofs are made: else one of several managers or keys may be at the other end. */
  get isSure(): boolean {
    return this.#isProved || this.#managers.flatMap(keysOfManager).length === 1;
  }

  /** The last frame of a sink message that so far has these five. */
  mac([type = none, uuid = none, node = none, sequence = none, payload = none]: readonly Buffer[]): Buffer {
    return sinkMac(this.#proofKey, { type, uuid, node, sequence, payload });
  }

  /** The other end has shown that it has this key. */
  proved(serverKey: Buffer): void {
    this.#use(this.#own, curvePublicFrom(serverKey));
    this.#isProved = true;
    this.#change((manager) => withProvedKey(manager, this.#proved));
  }

  /** The manager says that it will have this key. True when that was not known: then the sockets have to learn it. */
  announced(nextKey: string): boolean {
    // Of several that it may be, it is not known yet which one says so.
    if (!isCurvePublic(nextKey) || !(this.#isProved || this.#managers.length === 1)) return false;
    return this.#change((manager) =>
      manager.key === this.#proved ? withNextKey(manager, nextKey) : manager,
    );
  }

  replaceOwn(own: CurveKeys): void {
    this.#use(own, this.#proved);
  }

  #use(own: CurveKeys, manager: CurvePublic): void {
    if (own === this.#own && manager === this.#proved) return;
    this.#own = own;
    this.#proved = manager;
    this.#proofKey = agentProofKey(own, manager);
  }

  #change(change: (manager: KnownManager) => KnownManager): boolean {
    const before = this.#managers;
    this.#managers = before.map(change);
    const changed = this.#managers.filter((manager, index) => manager !== before[index]);
    for (const manager of changed) this.#keep(manager);
    return changed.length > 0;
  }
}

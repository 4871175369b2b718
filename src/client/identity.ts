import type { ClientSecurity } from '../platform/socket-security.ts';
import type { SecretKeyFile } from '../security/key-file.ts';
import { curveBytes, curvePublicFrom, isCurvePublic } from '../security/keys.ts';
import { type KnownManager, keysOfManager, withNextKey, withProvedKey } from '../security/known-manager.ts';
import { type SignedKind, signBody } from '../security/signature.ts';
import { ServiceManagerError } from '../wire/errors.ts';

export interface IdentityOptions {
  /** Of an operator or a monitor. */
  readonly keys: SecretKeyFile;
  /** Those that were joined, in the order in which they are to be asked. */
  readonly managers: readonly KnownManager[];
  /**
   * A manager is known by another key from now on. Never throws: where that cannot be kept, this run of the program goes on
   * all the same.
   */
  readonly keep: (manager: KnownManager) => void;
}

/** Who asks, by which keys, and the managers that he knows by theirs. */
export class Identity {
  readonly #keys: SecretKeyFile;
  readonly #keep: (manager: KnownManager) => void;
  #managers: readonly KnownManager[];

  /** Throws BAD_CONFIG for keys that do not sign. */
  constructor({ keys, managers, keep }: IdentityOptions) {
    if (keys.sign === undefined)
      throw new ServiceManagerError('BAD_CONFIG', `a key of kind ${keys.kind} does not sign requests`);
    this.#keys = keys;
    this.#managers = managers;
    this.#keep = keep;
  }

  /** For people: `operator alice`. */
  get name(): string {
    return `${this.#keys.kind} ${this.#keys.name}`;
  }

  /** Frontends of the managers that were joined. */
  get frontends(): string[] {
    return this.#managers.flatMap(({ endpoints: { frontend } }) => frontend ?? []);
  }

  sign(kind: SignedKind, bytes: Uint8Array): string {
    const { curve, sign } = this.#keys;
    if (sign === undefined) throw new TypeError('these keys do not sign');
    const keys = { curve: curve.publicKey, sign: sign.publicKey };
    return signBody(kind, bytes, { keys, secret: sign.secretKey });
  }

  /**
   * What is spoken with whoever has this frontend, or publishes beside it: it has to be a manager that was joined. Throws
   * BAD_CONFIG where none was.
   */
  securityOf(frontend: string): ClientSecurity {
    const { publicKey, secretKey } = this.#keys.curve;
    const serverKeys = this.#at(frontend).flatMap(keysOfManager).map(curveBytes);
    if (serverKeys.length === 0)
      throw new ServiceManagerError('BAD_CONFIG', `${this.name} has joined no manager yet`);
    return {
      ...{ kind: 'client', serverKeys },
      ...{ publicKey: curveBytes(publicKey), secretKey: curveBytes(secretKey) },
    };
  }

  /** Whoever has this frontend has shown that it has this key. */
  proved(serverKey: Buffer): void {
    const proved = curvePublicFrom(serverKey);
    this.#change((manager) => withProvedKey(manager, proved));
  }

  /** Whoever has this frontend says that it will have this key. True when that was not known. */
  announced(frontend: string, nextKey: string): boolean {
    const there = this.#at(frontend);
    // Of several that it may be, it is not known which one has said so.
    if (!isCurvePublic(nextKey) || there.length !== 1) return false;
    return this.#change((manager) => (manager === there[0] ? withNextKey(manager, nextKey) : manager));
  }

  /** The managers that may have this frontend: the one that is known to, else all of them. */
  #at(frontend: string): readonly KnownManager[] {
    const known = this.#managers.filter(({ endpoints }) => endpoints.frontend === frontend);
    return known.length > 0 ? known : this.#managers;
  }

  #change(change: (manager: KnownManager) => KnownManager): boolean {
    const before = this.#managers;
    this.#managers = before.map(change);
    const changed = this.#managers.filter((manager, index) => manager !== before[index]);
    for (const manager of changed) this.#keep(manager);
    return changed.length > 0;
  }
}

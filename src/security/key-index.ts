import type { KeyState } from '../wire/admin.ts';
import { ServiceManagerError } from '../wire/errors.ts';
import type { JoinRole } from '../wire/fields.ts';
import { type Fingerprint, findFingerprint } from './fingerprint.ts';
import type { CurvePublic, PublicKeys } from './keys.ts';

/** One key that the manager knows. Times are milliseconds since 1970. */
export interface KeyEntry {
  readonly fingerprint: Fingerprint;
  readonly role: JoinRole;
  readonly name: string;
  readonly keys: PublicKeys;
  readonly state: KeyState;
  /** Where it was last heard from, if that is known. */
  readonly address?: string | undefined;
  /** How it came in, for people: `token 0123456789abcdef`. */
  readonly by?: string | undefined;
  /** When it was first heard of, and when its state was last decided. */
  readonly sinceWallMs: number;
  readonly decidedWallMs?: number | undefined;
  /** Pending: forgotten then. Retiring: no longer good then. */
  readonly untilWallMs?: number | undefined;
  /** How often another key asked for its name. */
  readonly refusedOthers: number;
}

/** To be stored. */
export type KeyEffect =
  | { readonly kind: 'key'; readonly entry: KeyEntry }
  | { readonly kind: 'key-removed'; readonly fingerprint: Fingerprint };

const admitted: ReadonlySet<KeyState> = new Set(['accepted', 'retiring']);

/** Whether whoever has this key may come in. */
export function isAdmitted({ state }: Pick<KeyEntry, 'state'>): boolean {
  return admitted.has(state);
}

/** Finds keys by all that they are known by. */
export class KeyIndex {
  readonly #keys = new Map<Fingerprint, KeyEntry>();
  readonly #byCurve = new Map<CurvePublic, Fingerprint>();
  readonly #agentsByName = new Map<string, readonly KeyEntry[]>();
  readonly #peopleByName = new Map<string, readonly KeyEntry[]>();
  readonly #agents = new Set<Fingerprint>();

  all(): KeyEntry[] {
    return [...this.#keys.values()];
  }

  /** Agents whose key is accepted. */
  get agentCount(): number {
    return this.#agents.size;
  }

  get(fingerprint: Fingerprint): KeyEntry | undefined {
    return this.#keys.get(fingerprint);
  }

  byCurve(curve: CurvePublic): KeyEntry | undefined {
    const fingerprint = this.#byCurve.get(curve);
    return fingerprint === undefined ? undefined : this.#keys.get(fingerprint);
  }

  /** A node and a person may have the same name, two people may not: operators and monitors are found together. */
  named(role: JoinRole, name: string): readonly KeyEntry[] {
    return this.#byName(role).get(name) ?? [];
  }

  /** By a beginning of its fingerprint. Throws UNKNOWN_KEY, or BAD_USAGE when it is too short or of several keys. */
  find(typed: string): KeyEntry {
    const entry = this.#keys.get(findFingerprint(typed, this.#keys.keys()));
    if (entry === undefined)
      throw new ServiceManagerError('UNKNOWN_KEY', `no key has the fingerprint ${typed}`);
    return entry;
  }

  /** In place of what was known of this key. */
  put(entry: KeyEntry): KeyEffect {
    const { fingerprint, role, name, keys, state } = entry;
    const known = this.#keys.get(fingerprint);
    const named = this.named(role, name);
    const isThere = known !== undefined && named.includes(known);
    this.#byName(role).set(name, isThere ? named.with(named.indexOf(known), entry) : [...named, entry]);
    this.#keys.set(fingerprint, entry);
    if (role === 'agent' && state === 'accepted') this.#agents.add(fingerprint);
    else this.#agents.delete(fingerprint);
    this.#byCurve.set(keys.curve, fingerprint);
    return { kind: 'key', entry };
  }

  forget({ fingerprint, role, name, keys }: KeyEntry): KeyEffect {
    this.#keys.delete(fingerprint);
    this.#agents.delete(fingerprint);
    this.#byCurve.delete(keys.curve);
    const others = this.named(role, name).filter((other) => other.fingerprint !== fingerprint);
    if (others.length > 0) this.#byName(role).set(name, others);
    else this.#byName(role).delete(name);
    return { kind: 'key-removed', fingerprint };
  }

  #byName(role: JoinRole): Map<string, readonly KeyEntry[]> {
    return role === 'agent' ? this.#agentsByName : this.#peopleByName;
  }
}

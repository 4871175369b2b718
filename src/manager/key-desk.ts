import type { Clock } from '../platform/clock.ts';
import type { Log } from '../platform/log.ts';
import { type Fingerprint, fingerprintOf } from '../security/fingerprint.ts';
import { tokenVerifier } from '../security/join-proof.ts';
import { type JoinToken, printJoinToken } from '../security/join-token.ts';
import type { TokenEntry } from '../security/join-tokens.ts';
import type { KeyEntry } from '../security/key-index.ts';
import type { KeyRing, KeyRingEffect } from '../security/key-ring.ts';
import type { CurveKeys } from '../security/keys.ts';
import type { Auditor } from '../store/auditor.ts';
import type { KeyStore } from '../store/key-store.ts';
import {
  type KeyInfo,
  KeyOrder,
  RotationOrder,
  type TokenInfo,
  TokenName,
  TokenOrder,
} from '../wire/admin.ts';
import { isServiceManagerError } from '../wire/errors.ts';
import type { ManagementHandlers } from '../wire/management.ts';
import type { OwnKeys } from './own-keys.ts';

export interface KeyDeskDeps {
  readonly ring: KeyRing;
  readonly own: OwnKeys;
  readonly store: KeyStore;
  readonly auditor: Auditor;
  readonly clock: Clock;
  readonly log: Log;
  /** Id and secret of a new token: random bytes. */
  readonly newToken: () => Pick<JoinToken, 'id' | 'secret'>;
  readonly newCurveKeys: () => CurveKeys;
  /** Somebody who could come in may not any more. */
  readonly onShutOut: (entry: KeyEntry) => void;
}

/** What whoever owns the manager does with keys and tokens, through its management socket. */
export class KeyDesk {
  readonly #deps: KeyDeskDeps;
  /** By what each is about: it may be long before something can be stored again. */
  readonly #unstored = new Map<string, KeyRingEffect>();

  constructor(deps: KeyDeskDeps) {
    this.#deps = deps;
  }

  restore(): void {
    const { ring, store } = this.#deps;
    ring.restore(store.keys(), store.tokens());
  }

  /** Throws STORE_UNUSABLE: then it is in force all the same, and stored as soon as that is possible. */
  store(effects: readonly KeyRingEffect[]): void {
    for (const effect of effects) this.#await(effect);
    for (const [about, effect] of this.#unstored) {
      this.#write(effect);
      this.#unstored.delete(about);
    }
  }

  /** Forgets what is past. */
  tick(): void {
    const { ring, own, clock } = this.#deps;
    const nowWallMs = clock.wallMs();
    own.forgetFormer(nowWallMs);
    try {
      this.store(ring.tick(nowWallMs));
    } catch (error) {
      if (!isServiceManagerError(error)) throw error;
      this.#deps.log.error('store.failed', { error });
    }
  }

  /** True when the manager has another key from now on. */
  switchOverIfDue(nowWallMs: number): boolean {
    const { own, log, auditor } = this.#deps;
    if (!own.isDue(nowWallMs)) return false;
    const before = ownFingerprint(own.current);
    try {
      own.switchOver(nowWallMs);
    } catch (error) {
      if (!isServiceManagerError(error)) throw error;
      log.error('key.not_rotated', { error });
      return false;
    }
    const fields = { before, fingerprint: ownFingerprint(own.current) };
    log.info('key.rotated', fields);
    auditor.event('key.rotated', fields);
    return true;
  }

  handlers(): ManagementHandlers {
    const { ring, clock } = this.#deps;
    return {
      'manager.keys.list': () => done('Keys', { keys: ring.keys().map(keyInfoOf) }),
      'manager.keys.accept': (args) =>
        this.#decide('key.accepted', ring.accept(typedIn(args), clock.wallMs())),
      'manager.keys.reject': (args) =>
        this.#decide('key.rejected', ring.reject(typedIn(args), clock.wallMs())),
      'manager.keys.remove': (args) => this.#decide('key.removed', ring.remove(typedIn(args))),
      'manager.keys.revoke': (args) => this.#revoke(typedIn(args)),
      'manager.keys.rotate': (args) => this.#rotate(RotationOrder.parse(args).overlapMs),
      'manager.tokens.list': () => done('Tokens', { tokens: ring.tokens().map(tokenInfoOf) }),
      'manager.tokens.create': (args) => this.#createToken(TokenOrder.parse(args)),
      'manager.tokens.remove': (args) => this.#removeToken(TokenName.parse(args).id),
    };
  }

  /** What is known last of a key is stored last, and of a token first: rather one use too few is left than one too many. */
  #await(effect: KeyRingEffect): void {
    const about = aboutOf(effect);
    if (!isAboutToken(effect)) this.#unstored.delete(about);
    this.#unstored.set(about, effect);
  }

  #write(effect: KeyRingEffect): void {
    const { store } = this.#deps;
    if (effect.kind === 'key') store.saveKey(effect.entry);
    else if (effect.kind === 'key-removed') store.removeKey(effect.fingerprint);
    else if (effect.kind === 'token') store.saveToken(effect.entry);
    else store.removeToken(effect.id);
  }

  #decide(event: string, { entry, effects }: { entry: KeyEntry; effects: readonly KeyRingEffect[] }) {
    this.#told(event, entry);
    this.store(effects);
    return done(`${event}: ${entry.role} ${entry.name}`, { keys: [keyInfoOf(entry)] });
  }

  #revoke(typed: string) {
    const { entries, effects } = this.#deps.ring.revoke(typed, this.#deps.clock.wallMs());
    // It counts from now on, whether it can be stored or not.
    for (const entry of entries) {
      this.#told('key.revoked', entry);
      this.#deps.onShutOut(entry);
    }
    this.store(effects);
    return done(`key.revoked: ${entries.map(({ name }) => name).join(', ')}`, {
      keys: entries.map(keyInfoOf),
    });
  }

  #createToken({ role, name, ttlMs, uses }: TokenOrder) {
    const { ring, own, newToken, clock, auditor, log } = this.#deps;
    // It leads to the key of now, so it is of no use when that is another one.
    const { switchesWallMs = Number.POSITIVE_INFINITY } = own;
    const expiresAtMs = Math.min(Math.round(clock.wallMs() + ttlMs), switchesWallMs);
    const token: JoinToken = { ...newToken(), manager: own.current.publicKey, role, name, expiresAtMs };
    const { id } = token;
    const entry = {
      id,
      verifier: tokenVerifier(token),
      role,
      name,
      expiresWallMs: expiresAtMs,
      usesLeft: uses,
    };
    const effects = ring.addToken(entry);
    const fields = { token: id, role, ...(name === undefined ? {} : { name }), ttlMs, uses };
    log.info('token.created', fields);
    auditor.event('token.created', fields);
    this.store(effects);
    return done('Token', { token: printJoinToken(token), info: tokenInfoOf(entry) });
  }

  #removeToken(id: string) {
    const { ring, log, auditor } = this.#deps;
    const effects = ring.removeToken(id);
    log.info('token.removed', { token: id });
    auditor.event('token.removed', { token: id });
    this.store(effects);
    return done('token.removed', { id });
  }

  #rotate(overlapMs: number) {
    const { own, clock, newCurveKeys, log, auditor } = this.#deps;
    const switchesWallMs = Math.round(clock.wallMs() + overlapMs);
    own.rotate(newCurveKeys(), switchesWallMs);
    const fields = {
      fingerprint: ownFingerprint(own.current),
      nextFingerprint: fingerprintOf({ curve: own.nextKey ?? own.current.publicKey }),
    };
    log.info('key.rotating', { ...fields, switchesWallMs });
    auditor.event('key.rotating', { ...fields, switchesWallMs });
    return done('key.rotating', { ...fields, switchesMs: switchesWallMs });
  }

  #told(event: string, { role, name, fingerprint }: KeyEntry): void {
    this.#deps.log.info(event, { role, name, fingerprint });
    this.#deps.auditor.event(event, { role, name, fingerprint });
  }
}

function isAboutToken({ kind }: KeyRingEffect): boolean {
  return kind === 'token' || kind === 'token-removed';
}

function aboutOf(effect: KeyRingEffect): string {
  if (effect.kind === 'key') return effect.entry.fingerprint;
  if (effect.kind === 'token') return effect.entry.id;
  return effect.kind === 'key-removed' ? effect.fingerprint : effect.id;
}

export function ownFingerprint({ publicKey }: Pick<CurveKeys, 'publicKey'>): Fingerprint {
  return fingerprintOf({ curve: publicKey });
}

function typedIn(args: unknown): string {
  return KeyOrder.parse(args).fingerprint;
}

function done(msg: string, result: Record<string, unknown>) {
  return { success: 0, msg, result } as const;
}

function keyInfoOf({ sinceWallMs, decidedWallMs, untilWallMs, keys: _, ...entry }: KeyEntry): KeyInfo {
  const { fingerprint, role, name, state, address, by, refusedOthers } = entry;
  return {
    ...{ fingerprint, role, name, state, refusedOthers, sinceMs: sinceWallMs },
    ...(address === undefined ? {} : { address }),
    ...(by === undefined ? {} : { by }),
    ...(decidedWallMs === undefined ? {} : { decidedMs: decidedWallMs }),
    ...(untilWallMs === undefined ? {} : { untilMs: untilWallMs }),
  };
}

function tokenInfoOf({ id, role, name, expiresWallMs, usesLeft }: TokenEntry): TokenInfo {
  return { id, role, ...(name === undefined ? {} : { name }), expiresMs: expiresWallMs, usesLeft };
}

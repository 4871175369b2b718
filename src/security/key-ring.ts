import type { KeyState } from '../wire/admin.ts';
import { type ErrorCode, ServiceManagerError } from '../wire/errors.ts';
import type { JoinRole } from '../wire/fields.ts';
import { type Fingerprint, findFingerprint, fingerprintOf } from './fingerprint.ts';
import type { CurvePublic, PublicKeys, SignPublic } from './keys.ts';

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

/** A join token, without what could make one. */
export interface TokenEntry {
  readonly id: string;
  readonly verifier: SignPublic;
  readonly role: JoinRole;
  readonly name?: string | undefined;
  readonly expiresWallMs: number;
  readonly usesLeft: number;
}

/** Somebody who wants to be let in, and has proved that the keys are his. */
export interface JoinAsk {
  readonly role: JoinRole;
  readonly name: string;
  readonly keys: PublicKeys;
  readonly address?: string | undefined;
  /** With a token: its id, and whether the proof that was made with it is good for this verifier. */
  readonly token?: { readonly id: string; isProved(verifier: SignPublic): boolean } | undefined;
  /** The key it takes the place of, of which he has proved that it is his, too. */
  readonly replaces?: Fingerprint | undefined;
}

export type KeyRingEffect =
  /** To be stored. */
  | { readonly kind: 'key'; readonly entry: KeyEntry }
  | { readonly kind: 'key-removed'; readonly fingerprint: Fingerprint }
  | { readonly kind: 'token'; readonly entry: TokenEntry }
  | { readonly kind: 'token-removed'; readonly id: string };

export type JoinVerdict = { readonly effects: readonly KeyRingEffect[] } & (
  | { readonly kind: 'accepted' | 'pending'; readonly entry: KeyEntry; readonly isNew: boolean }
  | { readonly kind: 'refused'; readonly code: ErrorCode; readonly reason: string }
);

export interface KeyRingBounds {
  readonly maxPending: number;
  /** From one address or network. */
  readonly maxPendingEach: number;
  readonly pendingMs: number;
  readonly maxRejected: number;
  readonly maxTokens: number;
  /** How long a key that was replaced by its owner is still good. */
  readonly retiringMs: number;
}

export const keyRingBounds: KeyRingBounds = {
  maxPending: 1_000,
  maxPendingEach: 20,
  pendingMs: 86_400_000,
  maxRejected: 1_000,
  maxTokens: 10_000,
  retiringMs: 3_600_000,
};

/** States in which nobody else may have the name. */
const reserving: ReadonlySet<KeyState> = new Set(['accepted', 'retiring', 'revoked']);
const admitted: ReadonlySet<KeyState> = new Set(['accepted', 'retiring']);

/**
 * Whom the manager knows by which key. A name belongs to one key: that of an agent among agents, that of an operator or
 * monitor among people. It touches nothing: what happens and the time go in, what is to be stored comes out.
 */
export class KeyRing {
  readonly #bounds: KeyRingBounds;
  readonly #networkOf: (address: string) => string;
  readonly #keys = new Map<Fingerprint, KeyEntry>();
  readonly #byCurve = new Map<CurvePublic, Fingerprint>();
  readonly #byName = new Map<string, Set<Fingerprint>>();
  readonly #agents = new Set<Fingerprint>();
  readonly #tokens = new Map<string, TokenEntry>();

  /** `networkOf`: what is the same of all addresses that one stranger may have. */
  constructor(bounds: KeyRingBounds = keyRingBounds, networkOf = (address: string) => address) {
    this.#bounds = bounds;
    this.#networkOf = networkOf;
  }

  /** What an earlier one had stored. What has become past meanwhile is still good until the next `tick`. */
  restore(keys: Iterable<KeyEntry>, tokens: Iterable<TokenEntry>): void {
    for (const entry of keys) this.#put(entry);
    for (const token of tokens) this.#tokens.set(token.id, token);
  }

  /** Who has this key; undefined where he may not come in. */
  byCurve(curve: CurvePublic): KeyEntry | undefined {
    return this.#ifAdmitted(this.#byCurve.get(curve));
  }

  /** Who signs with the keys of this fingerprint; undefined where he may not come in. */
  byFingerprint(fingerprint: Fingerprint): KeyEntry | undefined {
    return this.#ifAdmitted(fingerprint);
  }

  /** The keys that may speak for this node: one, or up to three while one takes the place of another. */
  ofAgent(name: string): KeyEntry[] {
    return this.#named('agent', name).filter(({ state }) => admitted.has(state));
  }

  /** The operator or monitor of this name who may come in. */
  person(name: string): KeyEntry | undefined {
    return this.#named('operator', name).find(({ state }) => state === 'accepted');
  }

  /** Agents that may come in. */
  get agentCount(): number {
    return this.#agents.size;
  }

  keys(): KeyEntry[] {
    return [...this.#keys.values()];
  }

  tokens(): TokenEntry[] {
    return [...this.#tokens.values()];
  }

  /** Decides on who wants to be let in. Twice the same has the same verdict, and takes one use of a token. */
  join(ask: JoinAsk, nowWallMs: number): JoinVerdict {
    const fingerprint = fingerprintOf(ask.keys);
    const known = this.#keys.get(fingerprint);
    if (known !== undefined && (known.role !== ask.role || known.name !== ask.name))
      return refused('KEY_REFUSED', `this key is known as ${known.role} ${known.name}`);
    if (known !== undefined && admitted.has(known.state))
      return { kind: 'accepted', entry: known, isNew: false, effects: [] };
    if (known?.state === 'revoked' || known?.state === 'rejected')
      return refused('KEY_REFUSED', `this key was ${known.state}`);
    if (known === undefined && this.#byCurve.has(ask.keys.curve))
      return refused('KEY_REFUSED', 'another key has the same CURVE key');
    const entry: KeyEntry = {
      ...{ fingerprint, role: ask.role, name: ask.name, keys: ask.keys, state: 'pending', refusedOthers: 0 },
      ...(ask.address === undefined ? {} : { address: ask.address }),
      sinceWallMs: known?.sinceWallMs ?? nowWallMs,
    };
    if (ask.replaces !== undefined) return this.#replace(entry, ask.replaces, nowWallMs);
    const owner = this.#ownerOf(entry);
    if (owner !== undefined) return this.#refuseTaken(owner, entry);
    return ask.token === undefined ? this.#wait(entry, nowWallMs) : this.#admit(entry, ask.token, nowWallMs);
  }

  /** Throws UNKNOWN_KEY, BAD_USAGE, NAME_TAKEN, and KEY_REFUSED for one that was revoked. */
  accept(typed: string, nowWallMs: number): { entry: KeyEntry; effects: KeyRingEffect[] } {
    const entry = this.find(typed);
    if (entry.state === 'revoked')
      throw new ServiceManagerError('KEY_REFUSED', `the key of ${whose(entry)} was revoked: remove it first`);
    if (admitted.has(entry.state)) return { entry, effects: [] };
    const owner = this.#ownerOf(entry);
    if (owner !== undefined) throw new ServiceManagerError('NAME_TAKEN', takenText(owner));
    return this.#change(entry, { state: 'accepted', by: 'accepted' }, nowWallMs);
  }

  /** Throws UNKNOWN_KEY or BAD_USAGE, also for a key that is in already: that one is to be revoked. */
  reject(typed: string, nowWallMs: number): { entry: KeyEntry; effects: KeyRingEffect[] } {
    const entry = this.find(typed);
    if (reserving.has(entry.state))
      throw new ServiceManagerError(
        'BAD_USAGE',
        `the key of ${whose(entry)} is ${entry.state}: revoke it instead`,
      );
    const change = this.#change(entry, { state: 'rejected' }, nowWallMs);
    return { ...change, effects: [...change.effects, ...this.#forgetOldRejected(entry.fingerprint)] };
  }

  /**
   * With all keys of the same owner. Its name stays reserved until it is removed. Throws UNKNOWN_KEY or BAD_USAGE, also for
   * a key that is not in: that one is to be rejected, and its name is not its own.
   */
  revoke(typed: string, nowWallMs: number): { entries: KeyEntry[]; effects: KeyRingEffect[] } {
    const entry = this.find(typed);
    if (!reserving.has(entry.state))
      throw new ServiceManagerError(
        'BAD_USAGE',
        `the key of ${whose(entry)} is ${entry.state}: reject it instead`,
      );
    const meant = this.#named(entry.role, entry.name).filter(({ state }) => admitted.has(state));
    const changes = meant.map((each) => this.#change(each, { state: 'revoked' }, nowWallMs));
    return {
      entries: changes.length === 0 ? [entry] : changes.map((change) => change.entry),
      effects: changes.flatMap(({ effects }) => effects),
    };
  }

  /** Throws UNKNOWN_KEY or BAD_USAGE, also for a key that may still come in. */
  remove(typed: string): { entry: KeyEntry; effects: KeyRingEffect[] } {
    const entry = this.find(typed);
    if (admitted.has(entry.state))
      throw new ServiceManagerError(
        'BAD_USAGE',
        `the key of ${whose(entry)} is ${entry.state}: revoke it first`,
      );
    return { entry, effects: [this.#forget(entry)] };
  }

  /** Throws TOO_BUSY when there are too many. */
  addToken(token: TokenEntry): KeyRingEffect[] {
    const { maxTokens } = this.#bounds;
    if (this.#tokens.size >= maxTokens)
      throw new ServiceManagerError('TOO_BUSY', `there are ${maxTokens} join tokens already: remove some`);
    this.#tokens.set(token.id, token);
    return [{ kind: 'token', entry: token }];
  }

  /** Throws UNKNOWN_KEY. */
  removeToken(id: string): KeyRingEffect[] {
    if (!this.#tokens.delete(id)) throw new ServiceManagerError('UNKNOWN_KEY', `no token has the id ${id}`);
    return [{ kind: 'token-removed', id }];
  }

  /** Takes note of what has become past. */
  tick(nowWallMs: number): KeyRingEffect[] {
    const effects: KeyRingEffect[] = [];
    for (const entry of this.#keys.values()) {
      if (entry.untilWallMs === undefined || entry.untilWallMs > nowWallMs) continue;
      effects.push(this.#forget(entry));
    }
    for (const { id, expiresWallMs } of this.#tokens.values()) {
      if (expiresWallMs > nowWallMs) continue;
      this.#tokens.delete(id);
      effects.push({ kind: 'token-removed', id });
    }
    return effects;
  }

  /** By a beginning of its fingerprint. Throws UNKNOWN_KEY, or BAD_USAGE when it is too short or of several keys. */
  find(typed: string): KeyEntry {
    const entry = this.#keys.get(findFingerprint(typed, this.#keys.keys()));
    if (entry === undefined)
      throw new ServiceManagerError('UNKNOWN_KEY', `no key has the fingerprint ${typed}`);
    return entry;
  }

  #wait(entry: KeyEntry, nowWallMs: number): JoinVerdict {
    const isNew = !this.#keys.has(entry.fingerprint);
    // One that asks again keeps its room, but takes some at the address from which it asks now.
    const others = this.keys().filter(
      ({ state, fingerprint }) => state === 'pending' && fingerprint !== entry.fingerprint,
    );
    const { maxPending, maxPendingEach, pendingMs } = this.#bounds;
    const originOf = ({ address = '' }: KeyEntry) => this.#networkOf(address);
    const ofAddress = others.filter((other) => originOf(other) === originOf(entry)).length;
    if (others.length >= maxPending || ofAddress >= maxPendingEach) {
      const whose = others.length >= maxPending ? '' : ` from ${entry.address ?? 'there'}`;
      return refused('TOO_BUSY', `too many keys${whose} wait to be accepted`);
    }
    const waiting = { ...entry, untilWallMs: nowWallMs + pendingMs };
    this.#put(waiting);
    return { kind: 'pending', entry: waiting, isNew, effects: [{ kind: 'key', entry: waiting }] };
  }

  #admit(entry: KeyEntry, { id, isProved }: NonNullable<JoinAsk['token']>, nowWallMs: number): JoinVerdict {
    const token = this.#tokens.get(id);
    const isGood =
      token !== undefined &&
      token.expiresWallMs > nowWallMs &&
      token.role === entry.role &&
      (token.name === undefined || token.name === entry.name) &&
      isProved(token.verifier);
    // Which of these it is, is nobody's business who does not have the token.
    if (!isGood)
      return refused('BAD_TOKEN', 'the join token is unknown, past, used up, or for another role or name');
    // First, so that whoever stores the effects one by one, and is stopped in between, lets in one too few and not one too many.
    const used = this.#use(token);
    const admission = this.#change(entry, { state: 'accepted', by: `token ${id}` }, nowWallMs);
    return { kind: 'accepted', entry: admission.entry, isNew: true, effects: [used, ...admission.effects] };
  }

  #use(token: TokenEntry): KeyRingEffect {
    const entry = { ...token, usesLeft: token.usesLeft - 1 };
    if (entry.usesLeft > 0) {
      this.#tokens.set(entry.id, entry);
      return { kind: 'token', entry };
    }
    this.#tokens.delete(entry.id);
    return { kind: 'token-removed', id: entry.id };
  }

  #replace(entry: KeyEntry, replaces: Fingerprint, nowWallMs: number): JoinVerdict {
    const old = this.#ifAdmitted(replaces);
    if (old === undefined || old.role !== entry.role || old.name !== entry.name)
      return refused('KEY_REFUSED', 'the key that is to be replaced may not come in, or is of somebody else');
    const named = this.#named(old.role, old.name);
    // Else whoever may replace a key could fill the ring with those that he replaced.
    const past = named.filter((each) => each.state === 'retiring' && each !== old);
    const forgotten = past.map((each) => this.#forget(each));
    // One that retires already may still bring in a successor, whose word was lost.
    const retires = named.filter(({ state }) => state === 'accepted');
    const untilWallMs = nowWallMs + this.#bounds.retiringMs;
    const retired = retires.map((each) => this.#change(each, { state: 'retiring', untilWallMs }, nowWallMs));
    const next = this.#change(entry, { state: 'accepted', by: 'rotation' }, nowWallMs);
    const effects = [...forgotten, ...retired.flatMap((change) => change.effects), ...next.effects];
    return { kind: 'accepted', entry: next.entry, isNew: true, effects };
  }

  #refuseTaken(owner: KeyEntry, { fingerprint }: KeyEntry): JoinVerdict {
    const entry = { ...owner, refusedOthers: owner.refusedOthers + 1 };
    this.#put(entry);
    const effects: KeyRingEffect[] = [{ kind: 'key', entry }];
    // It waited for a decision, and somebody else was given the name meanwhile.
    const waiting = this.#keys.get(fingerprint);
    if (waiting !== undefined) effects.push(this.#forget(waiting));
    return { ...refused('NAME_TAKEN', takenText(owner)), effects };
  }

  /** Who has the name that this one wants. */
  #ownerOf({ role, name }: KeyEntry): KeyEntry | undefined {
    const named = this.#named(role, name);
    return named.find(({ state }) => state === 'accepted') ?? named.find(({ state }) => reserving.has(state));
  }

  #change(
    { untilWallMs: _, ...entry }: KeyEntry,
    change: Partial<KeyEntry>,
    nowWallMs: number,
  ): { entry: KeyEntry; effects: KeyRingEffect[] } {
    const changed = { ...entry, ...change, decidedWallMs: nowWallMs };
    this.#put(changed);
    return { entry: changed, effects: [{ kind: 'key', entry: changed }] };
  }

  /** All but the latest, of which one is `newest`. */
  #forgetOldRejected(newest: Fingerprint): KeyRingEffect[] {
    const others = this.keys()
      .filter(({ state, fingerprint }) => state === 'rejected' && fingerprint !== newest)
      .sort((one, other) => (one.decidedWallMs ?? 0) - (other.decidedWallMs ?? 0));
    const tooMany = others.length + 1 - this.#bounds.maxRejected;
    return others.slice(0, Math.max(0, tooMany)).map((entry) => this.#forget(entry));
  }

  #ifAdmitted(fingerprint: Fingerprint | undefined): KeyEntry | undefined {
    const entry = fingerprint === undefined ? undefined : this.#keys.get(fingerprint);
    return entry !== undefined && admitted.has(entry.state) ? entry : undefined;
  }

  #named(role: JoinRole, name: string): KeyEntry[] {
    const fingerprints = this.#byName.get(placeOf(role, name)) ?? [];
    return [...fingerprints].flatMap((fingerprint) => this.#keys.get(fingerprint) ?? []);
  }

  #put(entry: KeyEntry): void {
    const { fingerprint, role, name, keys } = entry;
    this.#keys.set(fingerprint, entry);
    if (role === 'agent' && entry.state === 'accepted') this.#agents.add(fingerprint);
    else this.#agents.delete(fingerprint);
    this.#byCurve.set(keys.curve, fingerprint);
    const named = this.#byName.get(placeOf(role, name)) ?? new Set();
    this.#byName.set(placeOf(role, name), named.add(fingerprint));
  }

  #forget({ fingerprint, role, name, keys }: KeyEntry): KeyRingEffect {
    this.#keys.delete(fingerprint);
    this.#agents.delete(fingerprint);
    this.#byCurve.delete(keys.curve);
    const named = this.#byName.get(placeOf(role, name));
    named?.delete(fingerprint);
    if (named?.size === 0) this.#byName.delete(placeOf(role, name));
    return { kind: 'key-removed', fingerprint };
  }
}

/** A node and a person may have the same name, two people may not. */
function placeOf(role: JoinRole, name: string): string {
  return `${role === 'agent' ? 'agent' : 'person'} ${name}`;
}

function refused(code: ErrorCode, reason: string): JoinVerdict & { kind: 'refused' } {
  return { kind: 'refused', code, reason, effects: [] };
}

function whose({ role, name }: KeyEntry): string {
  return `${role} ${name}`;
}

function takenText(owner: KeyEntry): string {
  const why =
    owner.state === 'revoked'
      ? 'it was revoked, and its name stays reserved until it is removed'
      : 'is this a cloned machine?';
  return `the name ${owner.name} belongs to the key ${owner.fingerprint}: ${why}`;
}

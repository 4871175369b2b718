import type { KeyState } from '../wire/admin.ts';
import { type ErrorCode, ServiceManagerError } from '../wire/errors.ts';
import type { JoinRole } from '../wire/fields.ts';
import { type Fingerprint, fingerprintOf } from './fingerprint.ts';
import { JoinTokens, type ShownToken, type TokenEffect, type TokenEntry } from './join-tokens.ts';
import { isAdmitted, type KeyEffect, type KeyEntry, KeyIndex } from './key-index.ts';
import type { CurvePublic, PublicKeys } from './keys.ts';

/** Somebody who wants to be let in, and has proved that the keys are his. */
export interface JoinAsk {
  readonly role: JoinRole;
  readonly name: string;
  readonly keys: PublicKeys;
  readonly address?: string | undefined;
  readonly token?: ShownToken | undefined;
  /** The key it takes the place of, of which he has proved that it is his, too. */
  readonly replaces?: Fingerprint | undefined;
}

/** To be stored. */
export type KeyRingEffect = KeyEffect | TokenEffect;

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

/**
 * Whom the manager knows by which key. A name belongs to one key: that of an agent among agents, that of an operator or
 * monitor among people. It touches nothing: what happens and the time go in, what is to be stored comes out.
 */
export class KeyRing {
  readonly #bounds: KeyRingBounds;
  readonly #networkOf: (address: string) => string;
  readonly #keys = new KeyIndex();
  readonly #tokens: JoinTokens;

  /** `networkOf`: what is the same of all addresses that one stranger may have. */
  constructor(bounds: KeyRingBounds = keyRingBounds, networkOf = (address: string) => address) {
    this.#bounds = bounds;
    this.#networkOf = networkOf;
    this.#tokens = new JoinTokens(bounds.maxTokens);
  }

  /** What an earlier one had stored. What has become past meanwhile is still good until the next `tick`. */
  restore(keys: Iterable<KeyEntry>, tokens: Iterable<TokenEntry>): void {
    for (const entry of keys) this.#keys.put(entry);
    this.#tokens.restore(tokens);
  }

  /** Who has this key; undefined where he may not come in. */
  byCurve(curve: CurvePublic): KeyEntry | undefined {
    return ifAdmitted(this.#keys.byCurve(curve));
  }

  /** Who signs with the keys of this fingerprint; undefined where he may not come in. */
  byFingerprint(fingerprint: Fingerprint): KeyEntry | undefined {
    return ifAdmitted(this.#keys.get(fingerprint));
  }

  /** The keys that may speak for this node: one, or two while one takes the place of the other. */
  ofAgent(name: string): KeyEntry[] {
    return this.#keys.named('agent', name).filter(isAdmitted);
  }

  /** The operator or monitor of this name who may come in. */
  person(name: string): KeyEntry | undefined {
    return this.#keys.named('operator', name).find(({ state }) => state === 'accepted');
  }

  /** Agents that may come in. */
  get agentCount(): number {
    return this.#keys.agentCount;
  }

  keys(): KeyEntry[] {
    return this.#keys.all();
  }

  tokens(): TokenEntry[] {
    return this.#tokens.all();
  }

  /** Decides on who wants to be let in. Twice the same has the same verdict, and takes one use of a token. */
  join(ask: JoinAsk, nowWallMs: number): JoinVerdict {
    const fingerprint = fingerprintOf(ask.keys);
    const known = this.#keys.get(fingerprint);
    if (known !== undefined && (known.role !== ask.role || known.name !== ask.name))
      return refused('KEY_REFUSED', `this key is known as ${known.role} ${known.name}`);
    if (known !== undefined && isAdmitted(known))
      return { kind: 'accepted', entry: known, isNew: false, effects: [] };
    if (known?.state === 'revoked' || known?.state === 'rejected')
      return refused('KEY_REFUSED', `this key was ${known.state}`);
    if (known === undefined && this.#keys.byCurve(ask.keys.curve) !== undefined)
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
    if (isAdmitted(entry)) return { entry, effects: [] };
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
    const meant = this.#keys.named(entry.role, entry.name).filter(isAdmitted);
    const changes = meant.map((each) => this.#change(each, { state: 'revoked' }, nowWallMs));
    return {
      entries: changes.length === 0 ? [entry] : changes.map((change) => change.entry),
      effects: changes.flatMap(({ effects }) => effects),
    };
  }

  /** Throws UNKNOWN_KEY or BAD_USAGE, also for a key that may still come in. */
  remove(typed: string): { entry: KeyEntry; effects: KeyRingEffect[] } {
    const entry = this.find(typed);
    if (isAdmitted(entry))
      throw new ServiceManagerError(
        'BAD_USAGE',
        `the key of ${whose(entry)} is ${entry.state}: revoke it first`,
      );
    return { entry, effects: [this.#keys.forget(entry)] };
  }

  /** Throws TOO_BUSY when there are too many. */
  addToken(token: TokenEntry): KeyRingEffect[] {
    return [this.#tokens.add(token)];
  }

  /** Throws UNKNOWN_KEY. */
  removeToken(id: string): KeyRingEffect[] {
    return [this.#tokens.remove(id)];
  }

  /** Takes note of what has become past. */
  tick(nowWallMs: number): KeyRingEffect[] {
    const isPast = ({ untilWallMs }: KeyEntry) => untilWallMs !== undefined && untilWallMs <= nowWallMs;
    const past = this.keys().filter(isPast);
    return [...past.map((entry) => this.#keys.forget(entry)), ...this.#tokens.tick(nowWallMs)];
  }

  /** By a beginning of its fingerprint. Throws UNKNOWN_KEY, or BAD_USAGE when it is too short or of several keys. */
  find(typed: string): KeyEntry {
    return this.#keys.find(typed);
  }

  #wait(entry: KeyEntry, nowWallMs: number): JoinVerdict {
    const isNew = this.#keys.get(entry.fingerprint) === undefined;
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
    return { kind: 'pending', entry: waiting, isNew, effects: [this.#keys.put(waiting)] };
  }

  #admit(entry: KeyEntry, shown: ShownToken, nowWallMs: number): JoinVerdict {
    // First, so that whoever stores the effects one by one, and is stopped in between, lets in one too few and not one too many.
    const used = this.#tokens.use(shown, entry, nowWallMs);
    // Which of these it is, is nobody's business who does not have the token.
    if (used === undefined)
      return refused('BAD_TOKEN', 'the join token is unknown, past, used up, or for another role or name');
    const admission = this.#change(entry, { state: 'accepted', by: `token ${shown.id}` }, nowWallMs);
    return { kind: 'accepted', entry: admission.entry, isNew: true, effects: [used, ...admission.effects] };
  }

  #replace(entry: KeyEntry, replaces: Fingerprint, nowWallMs: number): JoinVerdict {
    const old = this.byFingerprint(replaces);
    if (old === undefined || old.role !== entry.role || old.name !== entry.name)
      return refused('KEY_REFUSED', 'the key that is to be replaced may not come in, or is of somebody else');
    const named = this.#keys.named(old.role, old.name);
    const retires = named.filter(({ state }) => state === 'accepted');
    // Else whoever has a stolen key takes the name over although its owner has a new one. Where there is none, the manager was
    // stopped before the successor was stored.
    if (old.state === 'retiring' && retires.length > 0)
      return refused('KEY_REFUSED', 'the key that is to be replaced was replaced already');
    // Else whoever may replace a key could fill the ring with those that he replaced.
    const past = named.filter((each) => each.state === 'retiring' && each !== old);
    const forgotten = past.map((each) => this.#keys.forget(each));
    const untilWallMs = nowWallMs + this.#bounds.retiringMs;
    const retired = retires.map((each) => this.#change(each, { state: 'retiring', untilWallMs }, nowWallMs));
    const next = this.#change(entry, { state: 'accepted', by: 'rotation' }, nowWallMs);
    const effects = [...forgotten, ...retired.flatMap((change) => change.effects), ...next.effects];
    return { kind: 'accepted', entry: next.entry, isNew: true, effects };
  }

  #refuseTaken(owner: KeyEntry, { fingerprint }: KeyEntry): JoinVerdict {
    const effects = [this.#keys.put({ ...owner, refusedOthers: owner.refusedOthers + 1 })];
    // It waited for a decision, and somebody else was given the name meanwhile.
    const waiting = this.#keys.get(fingerprint);
    if (waiting !== undefined) effects.push(this.#keys.forget(waiting));
    return { ...refused('NAME_TAKEN', takenText(owner)), effects };
  }

  /** Who has the name that this one wants. */
  #ownerOf({ role, name }: KeyEntry): KeyEntry | undefined {
    const named = this.#keys.named(role, name);
    return named.find(({ state }) => state === 'accepted') ?? named.find(({ state }) => reserving.has(state));
  }

  #change(
    { untilWallMs: _, ...entry }: KeyEntry,
    change: Partial<KeyEntry>,
    nowWallMs: number,
  ): { entry: KeyEntry; effects: KeyRingEffect[] } {
    const changed = { ...entry, ...change, decidedWallMs: nowWallMs };
    return { entry: changed, effects: [this.#keys.put(changed)] };
  }

  /** All but the latest, of which one is `newest`. */
  #forgetOldRejected(newest: Fingerprint): KeyRingEffect[] {
    const others = this.keys()
      .filter(({ state, fingerprint }) => state === 'rejected' && fingerprint !== newest)
      .sort((one, other) => (one.decidedWallMs ?? 0) - (other.decidedWallMs ?? 0));
    const tooMany = others.length + 1 - this.#bounds.maxRejected;
    return others.slice(0, Math.max(0, tooMany)).map((entry) => this.#keys.forget(entry));
  }
}

function ifAdmitted(entry: KeyEntry | undefined): KeyEntry | undefined {
  return entry !== undefined && isAdmitted(entry) ? entry : undefined;
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

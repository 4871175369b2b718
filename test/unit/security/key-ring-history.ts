import { expect } from 'chai';
import { type Fingerprint, fingerprintOf } from '../../../src/security/fingerprint.ts';
import type { KeyEntry } from '../../../src/security/key-index.ts';
import { KeyRing, type KeyRingBounds } from '../../../src/security/key-ring.ts';
import { newSignKeys } from '../../../src/security/keys.ts';
import { isServiceManagerError } from '../../../src/wire/errors.ts';
import type { JoinRole } from '../../../src/wire/fields.ts';
import { askOf, KeptKeys, type Somebody, somebody, tokenEntry, withToken } from './key-ring-fakes.ts';

export const bounds: KeyRingBounds = {
  maxPending: 4,
  maxPendingEach: 2,
  pendingMs: 100,
  maxRejected: 2,
  maxTokens: 3,
  retiringMs: 50,
};

export const names = ['n1', 'n2'] as const;
export const roles: readonly JoinRole[] = ['agent', 'operator', 'monitor'];

/** Whoever may ask: several keys for each role and name, and one that has half of the keys of another. */
export const people: readonly Somebody[] = [
  ...roles.flatMap((role) => [...names, ...names].map((name) => somebody(role, name))),
  ...[somebody('agent', 'n1'), halfOf(somebody('operator', 'n1'))].flat(),
];

const stranger = somebody('agent', 'nobody');

function halfOf(whole: Somebody): [Somebody, Somebody] {
  const keys = { ...whole.keys, sign: newSignKeys().publicKey };
  return [whole, { ...whole, keys, fingerprint: fingerprintOf(keys) }];
}

export type Step =
  | {
      readonly kind: 'join';
      readonly who: Somebody;
      /** What it asks for, where that is not its own. */
      readonly as: Partial<Pick<Somebody, 'name' | 'role'>>;
      readonly address: string | undefined;
      /** `back`: the latest token that was made, the one before ... */
      readonly token: { readonly back: number; readonly isGood: boolean } | undefined;
      /** One of the known keys of its own name, or of all. */
      readonly replaces: { readonly pick: number; readonly isOwn: boolean } | undefined;
    }
  /** One of the known keys. */
  | { readonly kind: 'accept' | 'reject' | 'revoke' | 'remove'; readonly pick: number }
  | {
      readonly kind: 'add-token';
      readonly role: JoinRole;
      readonly name: string | undefined;
      readonly usesLeft: number;
      readonly lifeMs: number;
    }
  | { readonly kind: 'remove-token'; readonly back: number }
  | { readonly kind: 'tick' | 'restart' };

interface Deed {
  readonly answer: unknown;
  readonly effects: Parameters<KeptKeys['take']>[0];
}

interface MadeToken {
  readonly role: JoinRole;
  readonly name: string | undefined;
  readonly expiresWallMs: number;
  readonly uses: number;
  readonly letIn: Set<string>;
}

const admitted: ReadonlySet<string> = new Set(['accepted', 'retiring']);

/** One ring that runs all the time, and one that is now and then restored from what was stored. */
export class KeyRingHistory {
  readonly #ring = new KeyRing(bounds);
  readonly #kept = new KeptKeys();
  readonly #made: MadeToken[] = [];
  #restored = new KeyRing(bounds);
  #nowMs = 1_000;
  /** How often each thing happened. */
  readonly counts: Record<string, number>;

  constructor(counts: Record<string, number>) {
    this.counts = counts;
  }

  happen(step: Step, afterMs: number): void {
    this.#nowMs += afterMs;
    const before = new KeptKeys(this.#kept);
    const whom = this.#whomOf(step);
    const deed = attempt(() => this.#act(this.#ring, step, whom));
    const other = attempt(() => this.#act(this.#restored, step, whom));
    expect(other, 'the answer of the restored ring').to.deep.equal(deed);
    this.#kept.take(deed.effects);
    if (step.kind === 'add-token' && deed.effects.length > 0) this.#note(step);
    this.#checkChanges(step, whom, before);
    this.#checkStored(this.#ring);
    checkNames(this.#ring);
    checkSizes(this.#ring);
    checkWhoComesIn(this.#ring);
    this.#checkInterrupted(before, deed);
    if (step.kind === 'restart') this.#restored = ringOf(this.#kept);
    this.#count(step, deed);
  }

  /** The known key that the step is about, beside who asks. */
  #whomOf(step: Step): Fingerprint {
    const known = this.#ring.keys();
    const one = (entries: readonly KeyEntry[], pick: number) =>
      entries[pick % Math.max(1, entries.length)]?.fingerprint ?? stranger.fingerprint;
    if (step.kind !== 'join') return one(known, 'pick' in step ? step.pick : 0);
    const { who, replaces } = step;
    const own = known.filter(({ role, name }) => role === who.role && name === who.name);
    return one(replaces?.isOwn ? own : known, replaces?.pick ?? 0);
  }

  #act(ring: KeyRing, step: Step, whom: Fingerprint): Deed {
    switch (step.kind) {
      case 'join':
        return split(ring.join(this.#askOf(step, whom), this.#nowMs));
      case 'accept':
        return split(ring.accept(whom, this.#nowMs));
      case 'reject':
        return split(ring.reject(whom, this.#nowMs));
      case 'revoke':
        return split(ring.revoke(whom, this.#nowMs));
      case 'remove':
        return split(ring.remove(whom));
      case 'add-token': {
        const { role, name, usesLeft, lifeMs } = step;
        const more = { role, usesLeft, expiresWallMs: this.#nowMs + lifeMs };
        const effects = ring.addToken(
          tokenEntry(this.#idOf(-1), name === undefined ? more : { ...more, name }),
        );
        return { answer: 'added', effects };
      }
      case 'remove-token':
        return { answer: 'removed', effects: ring.removeToken(this.#idOf(step.back)) };
      case 'tick':
        return { answer: 'ticked', effects: ring.tick(this.#nowMs) };
      case 'restart':
        return { answer: 'restarted', effects: [] };
    }
  }

  #askOf({ who, as, address, token, replaces }: Extract<Step, { kind: 'join' }>, whom: Fingerprint) {
    return askOf(
      { ...who, ...as },
      {
        address,
        ...(token === undefined ? {} : withToken(this.#idOf(token.back), token.isGood)),
        ...(replaces === undefined ? {} : { replaces: whom }),
      },
    );
  }

  #idOf(back: number): string {
    return `t${this.#made.length - 1 - back}`;
  }

  #note({ role, name, usesLeft, lifeMs }: Extract<Step, { kind: 'add-token' }>): void {
    const expiresWallMs = this.#nowMs + lifeMs;
    this.#made.push({ role, name, expiresWallMs, uses: usesLeft, letIn: new Set() });
  }

  /** Who may come in now and could not before was let in by somebody; who was in and is not has lost it for a reason. */
  #checkChanges(step: Step, whom: Fingerprint, before: KeptKeys): void {
    for (const entry of this.#ring.keys()) {
      const was = before.keys.get(entry.fingerprint)?.state;
      if (!admitted.has(entry.state) || admitted.has(was ?? '')) continue;
      this.counts['let in'] = (this.counts['let in'] ?? 0) + 1;
      const meant = step.kind === 'join' ? step.who.fingerprint : whom;
      expect(meant, 'who was let in').to.equal(entry.fingerprint);
      expect(was, 'what it was').to.not.equal('revoked');
      if (step.kind === 'join') this.#checkLetIn(step, whom, entry, before);
      else expect(step.kind).to.equal('accept');
    }
    for (const [fingerprint, entry] of before.keys) {
      const now = this.#kept.keys.get(entry.fingerprint)?.state;
      if (!admitted.has(entry.state) || admitted.has(now ?? '')) continue;
      const isPast = (entry.untilWallMs ?? Infinity) <= this.#nowMs;
      const isReplaced = step.kind === 'join' && entry.state === 'retiring';
      const reason = now === 'revoked' ? 'revoke' : isReplaced ? 'join' : isPast ? 'tick' : 'none';
      expect(step.kind, `why ${fingerprint} is out`).to.equal(reason);
    }
  }

  #checkLetIn(
    step: Extract<Step, { kind: 'join' }>,
    whom: Fingerprint,
    entry: KeyEntry,
    before: KeptKeys,
  ): void {
    expect(before.keys.get(entry.fingerprint)?.state).to.be.oneOf([undefined, 'pending']);
    if (step.replaces !== undefined) {
      const old = before.keys.get(whom);
      expect(old?.state, 'the one that is replaced').to.equal('accepted');
      expect([old?.role, old?.name]).to.deep.equal([entry.role, entry.name]);
      return;
    }
    const { back = 0, isGood = false } = step.token ?? {};
    const token = this.#made.at(-1 - back);
    expect(isGood && before.tokens.has(this.#idOf(back)), 'the token is known and proved').to.equal(true);
    expect(token?.role).to.equal(entry.role);
    expect(token?.name ?? entry.name).to.equal(entry.name);
    expect(token?.expiresWallMs).to.be.above(this.#nowMs);
    token?.letIn.add(entry.fingerprint);
  }

  #checkStored(ring: KeyRing): void {
    expect([...this.#kept.keys.values()], 'stored keys').to.deep.equal(ring.keys());
    expect([...this.#kept.tokens.values()], 'stored tokens').to.deep.equal(ring.tokens());
    this.#checkTokens(this.#kept);
  }

  /** As many as were let in, and as many as still may be. */
  #checkTokens(kept: KeptKeys): void {
    for (const [number, { uses, letIn }] of this.#made.entries()) {
      const by = `token t${number}`;
      const stored = [...kept.keys.values()].filter((entry) => entry.by === by);
      const all = new Set([...letIn, ...stored.map(({ fingerprint }) => fingerprint)]);
      expect(all.size + (kept.tokens.get(`t${number}`)?.usesLeft ?? 0), by).to.be.at.most(uses);
    }
  }

  /** Whoever stores one effect after the other may be stopped behind any of them. */
  #checkInterrupted(before: KeptKeys, { effects }: Deed): void {
    for (let count = 1; count < effects.length; count += 1) {
      const kept = new KeptKeys(before);
      kept.take(effects.slice(0, count));
      this.#checkTokens(kept);
      for (const entries of byName(ringOf(kept)).values()) expectOneAccepted(entries);
    }
  }

  #count(step: Step, { answer }: Deed): void {
    const [first] = Array.isArray(answer) ? answer : [];
    const verdict = typeof answer === 'object' && answer !== null && 'code' in answer ? answer.code : first;
    const what = `${step.kind} ${String(verdict ?? 'good')}`;
    this.counts[what] = (this.counts[what] ?? 0) + 1;
    for (const { state } of this.#ring.keys()) this.counts[state] = (this.counts[state] ?? 0) + 1;
  }
}

function attempt(act: () => Deed): Deed {
  try {
    return act();
  } catch (error) {
    if (!isServiceManagerError(error)) throw error;
    return { answer: [error.code, error.message], effects: [] };
  }
}

function split<Answer extends { readonly effects: Deed['effects'] }>({ effects, ...answer }: Answer): Deed {
  return { answer, effects };
}

function ringOf(kept: KeptKeys): KeyRing {
  const ring = new KeyRing(bounds);
  ring.restore(kept.keys.values(), kept.tokens.values());
  return ring;
}

/** Agents by their names, and people by theirs. */
function byName(ring: KeyRing): Map<string, KeyEntry[]> {
  const all = new Map<string, KeyEntry[]>();
  for (const entry of ring.keys()) {
    const place = `${entry.role === 'agent' ? 'agent' : 'person'} ${entry.name}`;
    all.set(place, [...(all.get(place) ?? []), entry]);
  }
  return all;
}

function expectOneAccepted(entries: readonly KeyEntry[]): void {
  const accepted = entries.filter(({ state }) => state === 'accepted');
  expect(accepted.length, `accepted as ${entries[0]?.name}`).to.be.at.most(1);
}

function checkNames(ring: KeyRing): void {
  for (const entries of byName(ring).values()) {
    expectOneAccepted(entries);
    const [inside, revoked] = [
      entries.filter(({ state }) => admitted.has(state)),
      entries.filter(({ state }) => state === 'revoked'),
    ];
    expect(inside.length, 'keys of one owner').to.be.at.most(2);
    if (revoked.length > 0) expect(inside, 'beside one that was revoked').to.deep.equal([]);
  }
}

function checkSizes(ring: KeyRing): void {
  const pending = ring.keys().filter(({ state }) => state === 'pending');
  expect(pending.length).to.be.at.most(bounds.maxPending);
  for (const each of pending) {
    const ofAddress = pending.filter(({ address }) => address === each.address);
    expect(ofAddress.length, `pending from ${each.address}`).to.be.at.most(bounds.maxPendingEach);
  }
  expect(ring.keys().filter(({ state }) => state === 'rejected').length).to.be.at.most(bounds.maxRejected);
  expect(ring.tokens().length).to.be.at.most(bounds.maxTokens);
}

function checkWhoComesIn(ring: KeyRing): void {
  const inside = ring.keys().filter(({ state }) => admitted.has(state));
  for (const { fingerprint, keys } of people) {
    expect(ring.byFingerprint(fingerprint)).to.equal(
      inside.find((entry) => entry.fingerprint === fingerprint),
    );
    expect(ring.byCurve(keys.curve)).to.equal(inside.find((entry) => entry.keys.curve === keys.curve));
  }
  for (const name of names) {
    const agents = inside.filter((entry) => entry.role === 'agent' && entry.name === name);
    expect(ring.ofAgent(name)).to.deep.equal(agents);
    const persons = inside.filter((entry) => entry.role !== 'agent' && entry.name === name);
    expect(ring.person(name)).to.equal(persons.find(({ state }) => state === 'accepted'));
  }
}

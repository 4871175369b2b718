import type { ServerSecurity } from '../platform/socket-security.ts';
import { type CurveKeys, type CurvePublic, curveBytes } from '../security/keys.ts';
import type { Door } from './doors.ts';

/** Where the keys of a manager are kept. Both throw BAD_CONFIG or STORE_UNUSABLE. */
export interface KeyKeeper {
  /** From `switchesWallMs` on, in milliseconds since 1970, the next pair is to be used. */
  keepNext(next: CurveKeys, switchesWallMs: number): void;
  /** The next pair is the present one from now on. */
  promoteNext(): void;
}

export interface KeptKeys {
  readonly current: CurveKeys;
  readonly next?: { readonly pair: CurveKeys; readonly switchesWallMs: number } | undefined;
}

/** What was proved with a key before may still be on its way. No longer, because it may have been changed for being stolen. */
interface FormerKeys {
  readonly pair: CurveKeys;
  readonly untilWallMs: number;
}

const formerMs = 600_000;
const maxFormer = 2;

/** The manager's own keys: the one it has, the one it is going to have, and those it had a moment ago. */
export class OwnKeys {
  readonly #keeper: KeyKeeper;
  #kept: KeptKeys;
  #former: readonly FormerKeys[] = [];

  constructor(kept: KeptKeys, keeper: KeyKeeper) {
    this.#kept = kept;
    this.#keeper = keeper;
  }

  get current(): CurveKeys {
    return this.#kept.current;
  }

  /** What peers are told so that they know the manager by it afterwards. */
  get nextKey(): CurvePublic | undefined {
    return this.#kept.next?.pair.publicKey;
  }

  get switchesWallMs(): number | undefined {
    return this.#kept.next?.switchesWallMs;
  }

  /** With which the proofs of agents may be made: the present one first. */
  get proving(): readonly CurveKeys[] {
    return [this.current, ...this.#former.map(({ pair }) => pair)];
  }

  /** Throws BAD_CONFIG or STORE_UNUSABLE when it cannot be kept; then nothing changes. */
  rotate(pair: CurveKeys, switchesWallMs: number): void {
    this.#keeper.keepNext(pair, switchesWallMs);
    this.#kept = { ...this.#kept, next: { pair, switchesWallMs } };
  }

  isDue(nowWallMs: number): boolean {
    const { switchesWallMs } = this;
    return switchesWallMs !== undefined && nowWallMs >= switchesWallMs;
  }

  /** Throws BAD_CONFIG or STORE_UNUSABLE when it cannot be kept; then nothing changes. */
  switchOver(nowWallMs: number): void {
    const { current, next } = this.#kept;
    if (next === undefined) return;
    this.#keeper.promoteNext();
    const former = { pair: current, untilWallMs: nowWallMs + formerMs };
    this.#former = [former, ...this.#former].slice(0, maxFormer);
    this.#kept = { current: next.pair };
  }

  forgetFormer(nowWallMs: number): void {
    this.#former = this.#former.filter(({ untilWallMs }) => untilWallMs > nowWallMs);
  }

  /** For a socket that is bound. */
  securityOf(door: Door): ServerSecurity {
    const { publicKey, secretKey } = this.current;
    return {
      kind: 'server',
      domain: door,
      publicKey: curveBytes(publicKey),
      secretKey: curveBytes(secretKey),
    };
  }
}

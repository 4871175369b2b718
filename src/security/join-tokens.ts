import { ServiceManagerError } from '../wire/errors.ts';
import type { JoinRole } from '../wire/fields.ts';
import type { SignPublic } from './keys.ts';

/** A join token, without what could make one. */
export interface TokenEntry {
  readonly id: string;
  readonly verifier: SignPublic;
  readonly role: JoinRole;
  readonly name?: string | undefined;
  /** Milliseconds since 1970. */
  readonly expiresWallMs: number;
  readonly usesLeft: number;
}

/** What somebody shows of a token: its id, and whether the proof that was made with it is good for this verifier. */
export interface ShownToken {
  readonly id: string;
  isProved(verifier: SignPublic): boolean;
}

/** To be stored. */
export type TokenEffect =
  | { readonly kind: 'token'; readonly entry: TokenEntry }
  | { readonly kind: 'token-removed'; readonly id: string };

/** The join tokens that are still good for something. */
export class JoinTokens {
  readonly #max: number;
  readonly #tokens = new Map<string, TokenEntry>();

  constructor(max: number) {
    this.#max = max;
  }

  all(): TokenEntry[] {
    return [...this.#tokens.values()];
  }

  restore(tokens: Iterable<TokenEntry>): void {
    for (const token of tokens) this.#tokens.set(token.id, token);
  }

  /** Throws TOO_BUSY when there are too many. */
  add(entry: TokenEntry): TokenEffect {
    if (this.#tokens.size >= this.#max)
      throw new ServiceManagerError('TOO_BUSY', `there are ${this.#max} join tokens already: remove some`);
    this.#tokens.set(entry.id, entry);
    return { kind: 'token', entry };
  }

  /** Throws UNKNOWN_KEY. */
  remove(id: string): TokenEffect {
    if (!this.#tokens.has(id)) throw new ServiceManagerError('UNKNOWN_KEY', `no token has the id ${id}`);
    return this.#drop(id);
  }

  /** Takes one use of it; undefined where it is not good for this one. */
  use(
    shown: ShownToken,
    wanted: Pick<TokenEntry, 'role' | 'name'>,
    nowWallMs: number,
  ): TokenEffect | undefined {
    const token = this.#tokens.get(shown.id);
    const isGood =
      token !== undefined &&
      token.expiresWallMs > nowWallMs &&
      token.role === wanted.role &&
      (token.name === undefined || token.name === wanted.name) &&
      shown.isProved(token.verifier);
    if (!isGood) return undefined;
    const entry = { ...token, usesLeft: token.usesLeft - 1 };
    if (entry.usesLeft <= 0) return this.#drop(entry.id);
    this.#tokens.set(entry.id, entry);
    return { kind: 'token', entry };
  }

  /** Forgets those that are past. */
  tick(nowWallMs: number): TokenEffect[] {
    const past = this.all().filter(({ expiresWallMs }) => expiresWallMs <= nowWallMs);
    return past.map(({ id }) => this.#drop(id));
  }

  #drop(id: string): TokenEffect {
    this.#tokens.delete(id);
    return { kind: 'token-removed', id };
  }
}

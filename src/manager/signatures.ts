import { SpentNonces } from '../core/spent-nonces.ts';
import { type TokenBucketLimits, TokenBuckets } from '../core/token-bucket.ts';
import type { Clock } from '../platform/clock.ts';
import type { Fingerprint } from '../security/fingerprint.ts';
import type { KeyRing } from '../security/key-ring.ts';
import type { Asker } from '../security/policy.ts';
import { type SignedKind, verifyBody } from '../security/signature.ts';
import { allowedSkewMs, isPast, isTooFarAhead, longestLifeMs, rememberUntilMs } from '../security/skew.ts';
import type { Signed } from '../wire/dispatch.ts';
import { ServiceManagerError } from '../wire/errors.ts';
import type { CheckedQuery, QueryName } from '../wire/query.ts';
import type { CheckedRequest } from '../wire/request.ts';
import { changingQueries, maySend } from './doors.ts';

/** Who signed what came through the frontend. */
export interface Sender {
  readonly asker: Asker;
  readonly fingerprint: Fingerprint;
}

export interface SignaturesOptions {
  readonly ring: KeyRing;
  readonly clock: Clock;
  /** Of each operator and monitor. */
  readonly requestsPerSecond: number;
  /** Changing queries of each that may be good at the same time. Default 10,000. */
  readonly maxChanges?: number;
}

type Dated = { readonly notAfterMs?: number | undefined; readonly sentAtMs?: number | undefined };
type FrontendType = 'request' | `query ${QueryName}`;

const mostChanges = 10_000;
const maxSenders = 10_000;
/** So many seconds' worth at once. */
const burstSeconds = 5;

/** Finds out who sent a request or a query, and whether he may: by its signature, its age and the table of doors. */
export class Signatures {
  readonly #ring: KeyRing;
  readonly #clock: Clock;
  /** One for each, so that nobody takes the room of others. */
  readonly #nonces = new Map<Fingerprint, SpentNonces>();
  readonly #maxChanges: number;
  readonly #buckets: TokenBuckets;

  constructor({ ring, clock, requestsPerSecond, maxChanges = mostChanges }: SignaturesOptions) {
    this.#ring = ring;
    this.#clock = clock;
    this.#maxChanges = maxChanges;
    this.#buckets = new TokenBuckets(rateOf(requestsPerSecond));
  }

  /** Keys of which the changes are remembered. */
  get rememberedKeys(): number {
    return this.#nonces.size;
  }

  reconfigure(requestsPerSecond: number): void {
    this.#buckets.reconfigure(rateOf(requestsPerSecond));
  }

  /** Throws UNAUTHENTICATED, NOT_PERMITTED, REQUEST_EXPIRED, INVALID_MESSAGE or TOO_BUSY. */
  ofRequest({ version, body, bodyBytes, signature }: CheckedRequest): Sender {
    if (version === 'v1') throw unsigned('a request of 2014');
    const sender = this.#sender('request', { bytes: bodyBytes, signature }, 'request');
    this.#checkAge('RequestBody', body);
    return sender;
  }

  /** The same, and REPLAYED for a copy of one that changes something. */
  ofQuery({ query, signed }: CheckedQuery): Sender {
    const name = query.query;
    if (signed === undefined) throw unsigned(`the query ${name}`);
    const sender = this.#sender('query', signed, `query ${name}`);
    this.#checkAge('Query', query);
    if (changingQueries.has(name)) this.#spend(query, sender.fingerprint);
    return sender;
  }

  #sender(kind: SignedKind, { bytes, signature }: Signed, type: FrontendType): Sender {
    if (signature === '') throw unsigned(`a ${kind} without a signature`);
    const verdict = verifyBody(kind, bytes, signature, (fingerprint) => {
      return this.#ring.byFingerprint(fingerprint)?.keys.sign;
    });
    if (!verdict.isGood) throw new ServiceManagerError('UNAUTHENTICATED', badSignature(kind, verdict));
    const { fingerprint } = verdict;
    const entry = this.#ring.byFingerprint(fingerprint);
    if (entry === undefined || entry.role === 'agent') throw unsigned(`a ${kind} of an agent`);
    const { role, name } = entry;
    if (!maySend('frontend', type, role))
      throw new ServiceManagerError('NOT_PERMITTED', `${role} ${name} may not send ${type}`);
    if (!this.#buckets.take(fingerprint, this.#clock.now()))
      throw new ServiceManagerError('TOO_BUSY', `${role} ${name} sends too many requests a second`);
    return { asker: { role, name }, fingerprint };
  }

  #checkAge(message: string, { notAfterMs, sentAtMs }: Dated): void {
    const nowMs = this.#clock.wallMs();
    if (notAfterMs === undefined)
      throw new ServiceManagerError(
        'INVALID_MESSAGE',
        `${message}: field notAfterMs is missing, expected with a signature`,
      );
    if (isPast(notAfterMs, nowMs)) {
      const lateMs = Math.round(nowMs - notAfterMs);
      const text = `${message}: its time was over ${seconds(lateMs)} before it came`;
      throw new ServiceManagerError('REQUEST_EXPIRED', text + clockHint(sentAtMs, nowMs));
    }
    if (isTooFarAhead(notAfterMs, nowMs))
      throw new ServiceManagerError(
        'INVALID_MESSAGE',
        `${message}: field notAfterMs is ${seconds(notAfterMs - nowMs)} ahead, expected at most ${seconds(longestLifeMs)}${clockHint(sentAtMs, nowMs)}`,
      );
  }

  #spend({ nonce, notAfterMs = 0 }: CheckedQuery['query'], sender: Fingerprint): void {
    if (nonce === undefined)
      throw new ServiceManagerError(
        'INVALID_MESSAGE',
        'Query: field nonce is missing, expected in what changes something',
      );
    const taken = this.#noncesOf(sender).take(nonce, rememberUntilMs(notAfterMs), this.#clock.wallMs());
    if (taken === 'full')
      throw new ServiceManagerError('TOO_BUSY', 'too many changes at once; try again later');
    if (!taken) throw new ServiceManagerError('REPLAYED', 'Query: it was taken before');
  }

  /** Only of keys that may come in, which are bounded: whoever changes his key again and again leaves none behind. */
  #noncesOf(sender: Fingerprint): SpentNonces {
    const known = this.#nonces.get(sender);
    if (known !== undefined) return known;
    for (const other of this.#nonces.keys())
      if (this.#ring.byFingerprint(other) === undefined) this.#nonces.delete(other);
    const made = new SpentNonces(this.#maxChanges);
    this.#nonces.set(sender, made);
    return made;
  }
}

function rateOf(perSecond: number): TokenBucketLimits {
  return { perSecond, burst: perSecond * burstSeconds, maxKeys: maxSenders };
}

function unsigned(what: string): ServiceManagerError {
  const why = 'this manager takes nothing that no operator or monitor has signed';
  return new ServiceManagerError('UNAUTHENTICATED', `${what}: ${why}`);
}

function badSignature(
  kind: SignedKind,
  verdict: Exclude<ReturnType<typeof verifyBody>, { isGood: true }>,
): string {
  if (verdict.reason === 'malformed') return `the signature of the ${kind} is of no known form`;
  const { fingerprint, reason } = verdict;
  return reason === 'unknown'
    ? `the ${kind} is signed with ${fingerprint}, which may not come in (any more)`
    : `the ${kind} is not what ${fingerprint} has signed`;
}

/** Where the clocks differ by more than is allowed, that is most likely why. */
function clockHint(sentAtMs: number | undefined, nowMs: number): string {
  const offsetMs = sentAtMs === undefined ? 0 : sentAtMs - nowMs;
  if (Math.abs(offsetMs) <= allowedSkewMs) return '';
  const direction = offsetMs > 0 ? 'ahead of' : 'behind';
  return `; the clock of the client is ${seconds(Math.abs(offsetMs))} ${direction} that of the manager, or it was kept for later`;
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}

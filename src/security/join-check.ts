import { ServiceManagerError } from '../wire/errors.ts';
import type { JoinRequest } from '../wire/join.ts';
import { type Fingerprint, isFingerprint } from './fingerprint.ts';
import { isGoodJoin } from './join-proof.ts';
import type { KeyEntry } from './key-index.ts';
import type { JoinAsk } from './key-ring.ts';
import { type CurveKeys, isCurvePublic, isSignPublic, type PublicKeys } from './keys.ts';
import { type Claim, isGoodClaimMac, isGoodClaimSignature } from './possession.ts';
import { allowedSkewMs } from './skew.ts';

export interface JoinCheck {
  readonly manager: CurveKeys;
  readonly nowWallMs: number;
  readonly address: string | undefined;
  /** The key that is to be replaced, if it may come in. */
  keyOf(fingerprint: Fingerprint): KeyEntry | undefined;
}

// An hour: long enough for hosts whose time service has not begun, short enough that a copy is soon worth nothing.
const longestAgeMs = 3_600_000;

/**
 * Who joins, once each key is proved to be his own. Throws INVALID_MESSAGE, BAD_KEY, UNAUTHENTICATED, or REQUEST_EXPIRED
 * for one that was made too long ago or is to be made too far in the future.
 */
export function checkJoin(request: JoinRequest, check: JoinCheck): JoinAsk {
  const keys = keysOf(request);
  const { role, name, sentAtMs, token, tokenProof, replaces } = request;
  const { manager } = check;
  const claim: Claim = { manager: manager.publicKey, role, name, keys, sentAtMs, token, replaces };
  checkAge(sentAtMs, check.nowWallMs);
  checkPossession(claim, request, manager);
  const proof = tokenProof ?? '';
  const join = (tokenId: string) => ({ tokenId, manager: manager.publicKey, role, name, keys });
  return {
    ...{ role, name, keys, address: check.address },
    token:
      token === undefined
        ? undefined
        : { id: token, isProved: (verifier) => isGoodJoin(verifier, join(token), proof) },
    replaces: replaces === undefined ? undefined : provedOld(replaces, claim, request, check),
  };
}

function keysOf({ role, curve, sign }: JoinRequest): PublicKeys {
  if (!isCurvePublic(curve)) throw invalid('curve', 'a CURVE public key');
  if (role === 'agent') {
    if (sign !== undefined) throw invalid('sign', 'nothing: an agent does not sign');
    return { curve };
  }
  if (sign === undefined || !isSignPublic(sign)) throw invalid('sign', 'a signing public key');
  return { curve, sign };
}

function checkAge(sentAtMs: number, nowWallMs: number): void {
  const ageMs = nowWallMs - sentAtMs;
  if (Math.abs(ageMs) <= longestAgeMs) return;
  const [hours, direction] = [(Math.abs(ageMs) / 3_600_000).toFixed(1), ageMs > 0 ? 'behind' : 'ahead of'];
  throw new ServiceManagerError(
    'REQUEST_EXPIRED',
    `JoinRequest: by its time the clock of this host is ${hours} h ${direction} that of the manager (${allowedSkewMs / 1_000} s are allowed): set it first`,
  );
}

function checkPossession(claim: Claim, { mac, signature }: JoinRequest, manager: CurveKeys): void {
  const { curve, sign } = claim.keys;
  if (!isGoodClaimMac(claim, curve, manager, mac)) throw unproved('curve');
  if (sign !== undefined && !isGoodClaimSignature(claim, sign, signature ?? '')) throw unproved('sign');
}

function provedOld(replaces: string, claim: Claim, request: JoinRequest, check: JoinCheck): Fingerprint {
  const old = isFingerprint(replaces) ? check.keyOf(replaces) : undefined;
  const proof = request.replaceProof ?? '';
  const isProved =
    old?.keys.sign === undefined
      ? old !== undefined && isGoodClaimMac(claim, old.keys.curve, check.manager, proof)
      : isGoodClaimSignature(claim, old.keys.sign, proof);
  if (old === undefined || !isProved) throw unproved('replaces');
  return old.fingerprint;
}

function invalid(field: string, expected: string): ServiceManagerError {
  return new ServiceManagerError('INVALID_MESSAGE', `JoinRequest: field ${field}, expected ${expected}`);
}

function unproved(field: string): ServiceManagerError {
  return new ServiceManagerError(
    'UNAUTHENTICATED',
    `JoinRequest: field ${field}: there is no proof that whoever sent it has the secret half of this key`,
  );
}

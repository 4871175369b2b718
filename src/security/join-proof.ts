import { hkdfSync, sign, verify } from 'node:crypto';
import type { JoinRole } from '../wire/fields.ts';
import type { JoinToken } from './join-token.ts';
import {
  type CurvePublic,
  curveBytes,
  deriveSignPublic,
  type PublicKeys,
  type SignPublic,
  type SignSecret,
  signBytes,
  signingKey,
  signSecretFrom,
  verifyingKey,
} from './keys.ts';
import { transcript } from './transcript.ts';

/** Who joins, and with which token: what the proof is bound to. */
export interface Join {
  readonly tokenId: string;
  readonly manager: CurvePublic;
  readonly role: JoinRole;
  readonly name: string;
  readonly keys: PublicKeys;
}

/**
 * All that the manager stores of the secret: enough to check a proof, and nothing with which one could be made. So who
 * reads its store cannot join.
 */
export function tokenVerifier(token: JoinToken): SignPublic {
  return deriveSignPublic(proofSecret(token));
}

/** 86 characters: says that whoever has these keys and this name knows the secret, and does not say the secret. */
export function proveJoin(token: JoinToken, name: string, keys: PublicKeys): string {
  const { id: tokenId, manager, role } = token;
  const bytes = joinBytes({ tokenId, manager, role, name, keys });
  return sign(null, bytes, signingKey(proofSecret(token))).toString('base64url');
}

export function isGoodJoin(verifier: SignPublic, join: Join, proof: string): boolean {
  const signature = Buffer.from(proof, 'base64url');
  if (signature.byteLength !== 64 || signature.toString('base64url') !== proof) return false;
  return verify(null, joinBytes(join), verifyingKey(verifier), signature);
}

/** An Ed25519 seed made of the secret, so that the manager needs to keep the public half only. */
function proofSecret({ secret, id }: JoinToken): SignSecret {
  const seed = hkdfSync('sha256', secret, 'service-mgr/join-proof-key/1', Buffer.from(id, 'hex'), 32);
  return signSecretFrom(new Uint8Array(seed));
}

function joinBytes({ tokenId, manager, role, name, keys }: Join): Buffer {
  const sign = keys.sign === undefined ? new Uint8Array() : signBytes(keys.sign);
  const parts = [tokenId, curveBytes(manager), role, name, curveBytes(keys.curve), sign];
  return transcript('service-mgr/join-proof/1', parts);
}

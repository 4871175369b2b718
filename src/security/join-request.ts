import type { JoinRole, NodeName } from '../wire/fields.ts';
import type { JoinRequest } from '../wire/join.ts';
import { fingerprintOf } from './fingerprint.ts';
import { proveJoin } from './join-proof.ts';
import type { JoinToken } from './join-token.ts';
import { publicPartOf, type SecretKeyFile } from './key-file.ts';
import type { CurvePublic } from './keys.ts';
import { type Claim, claimMac, signClaim } from './possession.ts';

export interface JoinOrder {
  readonly role: JoinRole;
  readonly name: NodeName;
  readonly keys: SecretKeyFile;
  /** Of the manager that is to be joined. */
  readonly manager: CurvePublic;
  readonly token?: JoinToken | undefined;
  /** Keys of the same owner that these are to take the place of. */
  readonly replaces?: SecretKeyFile | undefined;
  /** Milliseconds since 1970. */
  readonly nowWallMs: number;
}

/** What whoever joins sends: `checkJoin` of join-check.ts reads it. Throws BAD_KEY for a key of the manager that is none. */
export function joinRequestOf(order: JoinOrder): JoinRequest {
  const { role, name, manager, token, replaces, nowWallMs: sentAtMs } = order;
  const { curve, sign } = order.keys;
  const { keys } = publicPartOf(order.keys);
  const replaced = replaces === undefined ? undefined : fingerprintOf(publicPartOf(replaces).keys);
  const claim: Claim = { manager, role, name, keys, sentAtMs, token: token?.id, replaces: replaced };
  return {
    ...{ v: 2, role, name, sentAtMs, curve: keys.curve, mac: claimMac(claim, curve) },
    ...(sign === undefined ? {} : { sign: sign.publicKey, signature: signClaim(claim, sign.secretKey) }),
    ...(token === undefined ? {} : { token: token.id, tokenProof: proveJoin(token, name, keys) }),
    ...(replaces === undefined || replaced === undefined
      ? {}
      : { replaces: replaced, replaceProof: oldProof(claim, replaces) }),
  };
}

function oldProof(claim: Claim, { curve, sign }: SecretKeyFile): string {
  return sign === undefined ? claimMac(claim, curve) : signClaim(claim, sign.secretKey);
}

import type { KnownOperator } from '../../src/agent/gate.ts';
import type { Fingerprint } from '../../src/security/fingerprint.ts';
import { publicPartOf } from '../../src/security/key-file.ts';
import type { Signed } from '../../src/wire/dispatch.ts';
import { Query } from '../../src/wire/query.ts';
import { RequestBody } from '../../src/wire/request.ts';
import { type KeyOwner, keyFileOf, signedBy } from './key-owners.ts';

/** The people whose public keys lie in the folder of an agent. */
export function knownOperators(...owners: readonly KeyOwner[]): ReadonlyMap<Fingerprint, KnownOperator> {
  return new Map(owners.map((owner) => [owner.fingerprint, knownOperator(owner)]));
}

/** A request in the words of who asks for it. */
export function signedRequest(body: RequestBody, owner: KeyOwner): Signed {
  const bytes = RequestBody.encode(body);
  return { bytes, signature: signedBy(owner, 'request', bytes) };
}

/** A cancel, or what else is given, in the words of who says so. */
export function signedQuery(fields: Readonly<Record<string, unknown>>, owner: KeyOwner): Signed {
  const bytes = Query.encode(Query.parse({ v: 2, query: 'cancel', ...fields }));
  return { bytes, signature: signedBy(owner, 'query', bytes) };
}

function knownOperator(owner: KeyOwner): KnownOperator {
  const file = publicPartOf(keyFileOf(owner));
  if (file.kind === 'operator' || file.kind === 'monitor') return { ...file, kind: file.kind };
  throw new Error(`a key of kind ${file.kind} is none of an operator`);
}

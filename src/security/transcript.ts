/**
 * The bytes that a hash, a MAC or a signature is made of: the domain and then each part, each one behind its length as
 * four bytes, the highest first. No two lists of parts have the same bytes, and no two purposes the same domain. The
 * pieces are not joined, because a part may be megabytes.
 */
export function transcript(domain: Domain, parts: ReadonlyArray<string | Uint8Array>): Buffer[] {
  return [domain, ...parts].flatMap((part) => {
    const bytes =
      typeof part === 'string'
        ? Buffer.from(part)
        : Buffer.from(part.buffer, part.byteOffset, part.byteLength);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.byteLength);
    return [length, bytes];
  });
}

/** One for each purpose, so that what was made for one is worth nothing for another. The number is that of its format. */
export type Domain =
  | 'service-mgr/fingerprint/1'
  | 'service-mgr/agent-proof-key/1'
  | 'service-mgr/agent-proof/1'
  | 'service-mgr/signature/1'
  | 'service-mgr/join-token/1'
  | 'service-mgr/join-proof-key/1'
  | 'service-mgr/join-proof/1'
  | 'service-mgr/claim-key/1'
  | 'service-mgr/claim/1'
  | 'service-mgr/audit/1';

/**
 * The bytes that a hash, a MAC or a signature is made of: the domain and then each part, each one behind its length as
 * four bytes, the highest first. No two lists of parts have the same bytes, and no two purposes the same domain.
 */
export function transcript(domain: Domain, parts: ReadonlyArray<string | Uint8Array>): Buffer {
  const all = [domain, ...parts];
  const lengths = all.map((part) => (typeof part === 'string' ? Buffer.byteLength(part) : part.byteLength));
  const bytes = Buffer.alloc(lengths.reduce((sum, length) => sum + lengthBytes + length, 0));
  let at = 0;
  for (const [index, part] of all.entries()) {
    at = bytes.writeUInt32BE(lengths[index] ?? 0, at);
    if (typeof part === 'string') bytes.write(part, at);
    else bytes.set(part, at);
    at += lengths[index] ?? 0;
  }
  return bytes;
}

const lengthBytes = 4;

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

import { generateKeyPairSync } from 'node:crypto';
import type { ClientSecurity, CurveKeys, ServerSecurity } from '../../src/platform/socket-security.ts';

/** A pair of CURVE keys that nobody else has. */
export function newCurveKeys(): CurveKeys {
  const { x, d } = generateKeyPairSync('x25519').privateKey.export({ format: 'jwk' });
  return { publicKey: Buffer.from(x ?? '', 'base64url'), secretKey: Buffer.from(d ?? '', 'base64url') };
}

export function serverOf(keys: CurveKeys, domain = 'frontend'): ServerSecurity {
  return { kind: 'server', ...keys, domain };
}

export function clientOf(keys: CurveKeys, ...servers: readonly CurveKeys[]): ClientSecurity {
  return { kind: 'client', ...keys, serverKeys: servers.map(({ publicKey }) => publicKey) };
}

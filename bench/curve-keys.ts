import { generateKeyPairSync } from 'node:crypto';
import type { ClientSecurity, CurveKeys, ServerSecurity } from '../src/platform/socket-security.ts';

export interface HexKeys {
  readonly publicKey: string;
  readonly secretKey: string;
}

/** As text, so that it can go to another program. */
export function newHexKeys(): HexKeys {
  const { x, d } = generateKeyPairSync('x25519').privateKey.export({ format: 'jwk' });
  const hex = (text = '') => Buffer.from(text, 'base64url').toString('hex');
  return { publicKey: hex(x), secretKey: hex(d) };
}

function raw({ publicKey, secretKey }: HexKeys): CurveKeys {
  return { publicKey: Buffer.from(publicKey, 'hex'), secretKey: Buffer.from(secretKey, 'hex') };
}

export function serverOf(keys: HexKeys): ServerSecurity {
  return { kind: 'server', ...raw(keys), domain: 'frontend' };
}

export function clientOf(keys: HexKeys, ...servers: readonly HexKeys[]): ClientSecurity {
  return { kind: 'client', ...raw(keys), serverKeys: servers.map((server) => raw(server).publicKey) };
}

import type * as zmq from 'zeromq';
import type { ClientSecurity, CurveKeys, ServerSecurity } from '../socket-security.ts';

// Numbers of zmq.h. By number they take raw bytes, by their names in zeromq.js only text in Z85.
const curvePublicKey = 48;
const curveSecretKey = 49;
const curveServerKey = 50;
const keyBytes = 32;

/** Makes a socket speak CURVE and nothing else. Before it is bound. */
export function secureServer(raw: zmq.Socket, security: ServerSecurity): void {
  raw.curveServer = true;
  setKeys(raw, security);
  raw.zapDomain = security.domain;
  refuseWithoutAuthenticator(raw);
}

/** Makes a socket talk only to the owner of this key. Before it is connected. */
export function secureClient(raw: zmq.Socket, security: ClientSecurity, serverKey: Buffer): void {
  setKeys(raw, security);
  raw['setStringOption'](curveServerKey, serverKey);
}

/** Throws a plain reason for what libzmq would only call an invalid argument, or not notice. */
export function checkSecurity(security: ServerSecurity | ClientSecurity): void {
  checkKey('public key', security.publicKey);
  checkKey('secret key', security.secretKey);
  if (security.kind === 'server') {
    if (!/^[\x21-\x7e]{1,255}$/.test(security.domain))
      throw new RangeError(`the domain is '${security.domain}': expected 1 to 255 printable characters`);
    return;
  }
  if (security.serverKeys.length === 0) throw new RangeError('no key of the server is known');
  for (const key of security.serverKeys) checkKey('key of the server', key);
}

export function isSamePair(one: CurveKeys, other: CurveKeys): boolean {
  return one.publicKey.equals(other.publicKey) && one.secretKey.equals(other.secretKey);
}

function checkKey(name: string, { length }: Buffer): void {
  if (length !== keyBytes) throw new RangeError(`the ${name} has ${length} bytes: expected ${keyBytes}`);
}

function setKeys(raw: zmq.Socket, { publicKey, secretKey }: CurveKeys): void {
  raw['setStringOption'](curvePublicKey, publicKey);
  raw['setStringOption'](curveSecretKey, secretKey);
}

/** A second lock: should nobody ever answer whether a peer may come in, it may not. Only where libzmq has its draft options. */
function refuseWithoutAuthenticator(raw: zmq.Socket): void {
  try {
    raw.zapEnforceDomain = true;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EINVAL')) throw error;
  }
}

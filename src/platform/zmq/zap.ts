/**
 * The ZeroMQ Authentication Protocol (RFC 27) as a ROUTER sees it: the peer's id and an empty frame, then version, request
 * id, domain, address, identity, mechanism and credentials. Those of CURVE are one frame with the peer's public key.
 */
export interface ZapRequest {
  readonly domain: string;
  readonly address: string;
  readonly mechanism: string;
  /** Empty unless the mechanism is CURVE. */
  readonly publicKey: Buffer;
}

const version = '1.0';
const keyBytes = 32;
const firstCredential = 8;
const empty = Buffer.alloc(0);

/** Undefined when it is none. */
export function readZapRequest(frames: readonly Buffer[]): ZapRequest | undefined {
  const [, delimiter, saidVersion, , domain, address, , mechanism] = frames;
  if (delimiter?.length !== 0 || saidVersion?.toString('latin1') !== version) return undefined;
  if (domain === undefined || address === undefined || mechanism === undefined) return undefined;
  const isCurve = mechanism.toString('latin1') === 'CURVE';
  const key = frames[firstCredential];
  if (isCurve && (key?.length !== keyBytes || frames.length !== firstCredential + 1)) return undefined;
  return {
    domain: domain.toString(),
    address: address.toString('latin1'),
    mechanism: mechanism.toString('latin1'),
    publicKey: isCurve && key !== undefined ? key : empty,
  };
}

/** What is answered, also to what is no request. */
export function zapReply(frames: readonly Buffer[], isAdmitted: boolean): (Buffer | string)[] {
  const [peer = empty, , , requestId = empty] = frames;
  const status = isAdmitted ? '200' : '400';
  return [peer, '', version, requestId, status, '', '', ''];
}

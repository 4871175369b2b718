/** A pair of CURVE keys (Curve25519), 32 raw bytes each. */
export interface CurveKeys {
  readonly publicKey: Buffer;
  readonly secretKey: Buffer;
}

/** What a bound socket speaks: CURVE and nothing else. */
export interface ServerSecurity extends CurveKeys {
  readonly kind: 'server';
  /** Named to whoever decides who may come in; one for each kind of socket. Not empty. */
  readonly domain: string;
}

/** What a connecting socket speaks: CURVE, with a server that owns one of the keys it knows. */
export interface ClientSecurity extends CurveKeys {
  readonly kind: 'client';
  /** 32 raw bytes each, at least one; the likeliest first. While a server changes its key, the old and the new one. */
  readonly serverKeys: readonly Buffer[];
}

/** Who wants to come in. That it owns the key has been proved. */
export interface Peer {
  readonly domain: string;
  /** Without a port. */
  readonly address: string;
  /** 32 raw bytes. */
  readonly publicKey: Buffer;
}

/** True lets the peer in. Asked once for each connection, at its beginning. Throwing is a no. */
export type Decide = (peer: Peer) => boolean;

/** What else there is to say about who comes in. */
export interface AdmissionRules {
  /** Hears of every refusal, so it is for the caller to limit what it writes. */
  readonly onRefused?: (refusal: RefusedHandshake) => void;
  /** Connections that have been let in, for each domain. */
  readonly maxConnections?: (domain: string) => number;
}

/** Why a server let nobody in. */
export const refusalReasons = {
  'unknown key': 'the decider said no, or there is none',
  'decider failed': 'the decider threw',
  'too often': 'too many refusals of this address lately; the decider was not asked',
  'too many connections': 'the domain is full; the decider was not asked',
  'wrong server key': 'the peer expects another server, or is not who it says',
  mechanism: 'the peer does not speak CURVE',
  protocol: 'what the peer sent is no handshake',
  timeout: 'the peer did not finish its handshake in time, or left before',
} as const;

export type RefusalReason = keyof typeof refusalReasons;

/** A handshake that a bound socket refused. libzmq tells address and key only of a peer that came as far as the decider. */
export interface RefusedHandshake {
  readonly domain: string;
  readonly reason: RefusalReason;
  readonly address?: string;
  readonly publicKey?: Buffer;
  /** What the decider threw. */
  readonly cause?: unknown;
}

/** Why a connecting socket is not let in. It goes on trying. */
export const handshakeFailures = {
  refused: 'the server does not know this key (any more), or has no room for another connection',
  // CURVE tells a stranger nothing, so this is all there is to see of a server with another key.
  'cut off': 'the server ended the handshake: most likely it has another key than the ones that are known',
  mechanism: 'the server does not speak CURVE',
  protocol: 'what the server sent is no handshake',
} as const;

export type HandshakeFailure = keyof typeof handshakeFailures;

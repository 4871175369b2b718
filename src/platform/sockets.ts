import type {
  AdmissionRules,
  ClientSecurity,
  Decide,
  HandshakeFailure,
  ServerSecurity,
} from './socket-security.ts';

/** One ZeroMQ message. */
export type Frames = readonly Buffer[];

/**
 * One socket. Iterating it receives; leaving the loop does not close it. Exactly one loop per socket, and always one:
 * a ZeroMQ socket works off its subscriptions and reconnections only while somebody receives.
 */
export interface Socket extends AsyncIterable<Buffer[]> {
  /** Where it is bound or connected; a bound `tcp://host:*` shows the port it got. */
  readonly endpoint: string;
  /**
   * Queues a message and returns at once. False when the queue is full or the socket closed: the message is dropped
   * and counted. Order is kept.
   */
  send(frames: Frames): boolean;
  /** Messages dropped so far because a queue was full. */
  readonly dropped: number;
  /** Hands over what is queued for at most `lingerMs`, then ends the running loop without an error. Twice is harmless. */
  close(): Promise<void>;
}

export interface BoundSocket extends Socket {
  /**
   * Goes on with other keys at the same endpoint. What has come stays to be received, what is queued is handed over for
   * at most `lingerMs`; every peer is disconnected and has to know the new key to come back. Rejects with
   * ENDPOINT_UNUSABLE when somebody took the address meanwhile (the socket is closed then), and on a socket that was
   * bound without security.
   */
  rekey(security: ServerSecurity): Promise<void>;
}

export interface ConnectingSocket extends Socket {
  /**
   * Goes on with other keys. The connection stays when its own pair and the server's key are among them, else it is made
   * again. Throws ENDPOINT_UNUSABLE for wrong keys, and on a socket that was connected without security.
   */
  rekey(security: ClientSecurity): void;
}

export interface SubscriberSocket extends ConnectingSocket {
  /** Every message whose first frame begins with `prefix` arrives from now on. */
  subscribe(prefix: string | Buffer): void;
  /** Ends what `subscribe` with the same prefix began. */
  unsubscribe(prefix: string | Buffer): void;
}

export interface SocketOptions {
  /** Messages that may wait per peer, each way, before messages are dropped. Default 100,000. */
  readonly highWaterMark?: number;
  /** How long `close` may take to hand over what is queued. Default 0. */
  readonly lingerMs?: number;
  /** Largest message a peer may send before its connection is cut. Default 16 MiB. */
  readonly maxMessageBytes?: number;
}

export interface BindOptions extends SocketOptions {
  /** Without it everybody who reaches the endpoint is a peer. With it nobody is whom the decider doesn't let in. */
  readonly security?: ServerSecurity;
}

export interface ConnectOptions extends SocketOptions {
  /** With it nothing is sent to a server before it has proved to own one of the known keys. */
  readonly security?: ClientSecurity;
  /** Called for every attempt that fails in its handshake, which is not the same as a server that isn't there. */
  readonly onHandshakeFailed?: (failure: HandshakeFailure) => void;
  /**
   * Called when the server has let this socket in, at first and after every loss of the connection, with the key that the
   * server has shown to have.
   */
  readonly onHandshakeDone?: (serverKey: Buffer) => void;
}

/**
 * Opens sockets. `bind...` rejects with ENDPOINT_UNUSABLE when the address is taken or wrong; `connect...` never waits
 * for a peer and throws ENDPOINT_UNUSABLE for a malformed endpoint.
 */
export interface Sockets {
  /**
   * From now on `decide` says who may come in, in place of who said so before. Until then nobody may. Without rules those
   * of before stay.
   */
  authenticate(decide: Decide, rules?: AdmissionRules): void;
  /** First frame of what arrives is the peer's id; send with the same first frame to answer it. */
  bindRouter(endpoint: string, options?: BindOptions): Promise<BoundSocket>;
  /** Receives subscriptions (0x01 topic) and their end (0x00 topic), each one of each peer; sends by prefix of frame 1. */
  bindPublisher(endpoint: string, options?: BindOptions): Promise<BoundSocket>;
  bindPull(endpoint: string, options?: BindOptions): Promise<BoundSocket>;
  /** Strictly one answer after each message received. */
  bindReply(endpoint: string, options?: BindOptions): Promise<BoundSocket>;
  connectSubscriber(endpoint: string, options?: ConnectOptions): SubscriberSocket;
  connectPush(endpoint: string, options?: ConnectOptions): ConnectingSocket;
  /** Talks to a ROUTER or REP without the lock-step of REQ: put an empty frame first, as REQ does. */
  connectDealer(endpoint: string, options?: ConnectOptions): ConnectingSocket;
}

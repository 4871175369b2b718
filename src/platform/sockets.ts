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

export interface SubscriberSocket extends Socket {
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

/**
 * Opens sockets. `bind...` rejects with ENDPOINT_UNUSABLE when the address is taken or wrong; `connect...` never waits
 * for a peer and throws ENDPOINT_UNUSABLE for a malformed endpoint.
 */
export interface Sockets {
  /** First frame of what arrives is the peer's id; send with the same first frame to answer it. */
  bindRouter(endpoint: string, options?: SocketOptions): Promise<Socket>;
  /** Receives subscriptions (0x01 topic) and their end (0x00 topic), each one of each peer; sends by prefix of frame 1. */
  bindPublisher(endpoint: string, options?: SocketOptions): Promise<Socket>;
  bindPull(endpoint: string, options?: SocketOptions): Promise<Socket>;
  /** Strictly one answer after each message received. */
  bindReply(endpoint: string, options?: SocketOptions): Promise<Socket>;
  connectSubscriber(endpoint: string, options?: SocketOptions): SubscriberSocket;
  connectPush(endpoint: string, options?: SocketOptions): Socket;
  /** Talks to a ROUTER or REP without the lock-step of REQ: put an empty frame first, as REQ does. */
  connectDealer(endpoint: string, options?: SocketOptions): Socket;
}

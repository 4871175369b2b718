import { serve } from '../platform/serve.ts';
import type { HandshakeFailure } from '../platform/socket-security.ts';
import type { ConnectingSocket, Sockets, SubscriberSocket } from '../platform/sockets.ts';
import type { CurveKeys } from '../security/keys.ts';
import { type Dispatch, idOfRefused, openDispatch } from '../wire/dispatch.ts';
import { isServiceManagerError, type ServiceManagerError } from '../wire/errors.ts';
import type { NodeName, RequestId, Topic } from '../wire/fields.ts';
import {
  addressFrame,
  everyAgent,
  type ProtocolVersion,
  readTopicFrame,
  type TopicFrame,
  topicFrame,
} from '../wire/topic.ts';
import type { Credentials } from './credentials.ts';
import { Report } from './report.ts';

export interface LinkOptions {
  readonly sockets: Sockets;
  readonly managerEndpoint: string;
  readonly sinkEndpoint: string;
  readonly node: NodeName;
  readonly topics: ReadonlySet<Topic>;
  readonly protocol: ProtocolVersion;
  readonly nextSequence: () => number;
  /** Undefined: without security. */
  readonly credentials?: Credentials | undefined;
  /** The manager does not let this agent in, and why. It is tried again and again. */
  readonly onRefused?: ((failure: HandshakeFailure) => void) | undefined;
}

export interface LinkHandlers {
  onDispatch(dispatch: Dispatch): void;
  /** Meant for this node, but not usable. `id` is known when the message at least said that much. */
  onRejected(error: ServiceManagerError, id: RequestId | undefined): void;
  /** Not meant for this node: ZeroMQ's prefix match let it through. */
  onForeignTopic(topic: string): void;
}

const lingerMs = 1_000;

/** The way to and from one manager: a SUB on the topics of this node, and a PUSH for what it has to say. */
export class Link {
  readonly #options: LinkOptions;
  #subscriber: SubscriberSocket;
  #sink: ConnectingSocket;
  #topics: ReadonlySet<Topic>;
  #isClosed = false;
  /** Of earlier sockets. */
  #dropped = 0;
  readonly report: Report;

  constructor(options: LinkOptions) {
    const { node, topics, protocol, nextSequence, credentials } = options;
    this.#options = options;
    this.#topics = topics;
    this.#subscriber = this.#connectSubscriber();
    this.#sink = this.#connectSink();
    const macOf = (frames: readonly Buffer[]) =>
      credentials?.isSure === true ? credentials.mac(frames) : undefined;
    const mac = credentials === undefined ? {} : { mac: macOf };
    this.report = new Report({ node, protocol, nextSequence, ...mac, sink: () => this.#sink });
  }

  /** Names the manager: in the log, and in the journal for what it has not stored yet. */
  get name(): string {
    return this.#options.sinkEndpoint;
  }

  /** What the manager calls itself; without security its endpoint, since it has not said who it is. */
  get managerName(): string {
    return this.#options.credentials?.managerName ?? this.name;
  }

  get dropped(): number {
    return this.#dropped + this.#sink.dropped + this.report.dropped;
  }

  /** Resolves when the link is closed. */
  async listen(handlers: LinkHandlers): Promise<void> {
    while (!this.#isClosed) await serve(this.#subscriber, (frames) => this.#receive(frames, handlers));
  }

  /** From now on it listens to these topics and no others. */
  listenTo(topics: ReadonlySet<Topic>): void {
    const { protocol } = this.#options;
    const before = this.#topics;
    this.#topics = topics;
    for (const topic of topics) {
      if (!before.has(topic)) this.#subscriber.subscribe(topicFrame(topic, protocol));
    }
    for (const topic of before) {
      if (!topics.has(topic)) this.#subscriber.unsubscribe(topicFrame(topic, protocol));
    }
  }

  /** The manager is going to have this key instead of its own. */
  announced(nextKey: string): void {
    if (this.#options.credentials?.announced(nextKey) === true) this.#rekey();
  }

  /** The agent has these keys from now on. */
  replaceOwnKeys(own: CurveKeys): void {
    this.#options.credentials?.replaceOwn(own);
    this.#rekey();
  }

  /** Throws both connections away and makes new ones. What was on its way is sent again by who needs it to arrive. */
  async reopen(): Promise<void> {
    const [subscriber, sink] = [this.#subscriber, this.#sink];
    this.#dropped += sink.dropped;
    this.#subscriber = this.#connectSubscriber();
    this.#sink = this.#connectSink();
    await Promise.all([subscriber.close(), sink.close()]);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([this.#subscriber.close(), this.#sink.close()]);
  }

  #rekey(): void {
    const security = this.#options.credentials?.security;
    if (security === undefined) return;
    this.#subscriber.rekey(security);
    this.#sink.rekey(security);
  }

  #connectSink(): ConnectingSocket {
    const { sockets, sinkEndpoint, credentials, onRefused } = this.#options;
    if (credentials === undefined) return sockets.connectPush(sinkEndpoint, { lingerMs });
    return sockets.connectPush(sinkEndpoint, {
      ...{ lingerMs, security: credentials.security },
      onHandshakeDone: (serverKey) => {
        credentials.proved(serverKey);
        this.report.release();
      },
      ...(onRefused === undefined ? {} : { onHandshakeFailed: onRefused }),
    });
  }

  #connectSubscriber(): SubscriberSocket {
    const { sockets, managerEndpoint, protocol, node, credentials } = this.#options;
    const options = credentials === undefined ? {} : { security: credentials.security };
    const subscriber = sockets.connectSubscriber(managerEndpoint, options);
    for (const topic of this.#topics) subscriber.subscribe(topicFrame(topic, protocol));
    if (protocol === 'v2') for (const name of [everyAgent, node]) subscriber.subscribe(addressFrame(name));
    return subscriber;
  }

  #receive(frames: readonly Buffer[], handlers: LinkHandlers): void {
    // Whether it is meant for us comes first: a host must not even refuse what was sent to another one.
    const to = frames[0] === undefined ? undefined : readTopicFrame(frames[0]);
    if (to === undefined || !this.#isMeant(to)) return handlers.onForeignTopic(to?.topic ?? '');
    try {
      handlers.onDispatch(openDispatch(frames));
    } catch (error) {
      if (!isServiceManagerError(error)) throw error;
      handlers.onRejected(error, idOfRefused(frames));
    }
  }

  #isMeant({ version, topic }: TopicFrame): boolean {
    if (version !== 'address') return this.#topics.has(topic);
    return topic === everyAgent || (topic as string) === this.#options.node;
  }
}

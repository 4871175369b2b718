import { serve } from '../platform/serve.ts';
import type { Socket, Sockets, SubscriberSocket } from '../platform/sockets.ts';
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
import { Report } from './report.ts';

export interface LinkOptions {
  readonly sockets: Sockets;
  readonly managerEndpoint: string;
  readonly sinkEndpoint: string;
  readonly node: NodeName;
  readonly topics: ReadonlySet<Topic>;
  readonly protocol: ProtocolVersion;
  readonly nextSequence: () => number;
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
  #sink: Socket;
  #topics: ReadonlySet<Topic>;
  #isClosed = false;
  /** Of earlier sockets. */
  #dropped = 0;
  readonly report: Report;

  constructor(options: LinkOptions) {
    const { node, topics, protocol, nextSequence } = options;
    this.#options = options;
    this.#topics = topics;
    this.#subscriber = this.#connectSubscriber();
    this.#sink = options.sockets.connectPush(options.sinkEndpoint, { lingerMs });
    this.report = new Report({ node, protocol, nextSequence, sink: () => this.#sink });
  }

  /** Names the manager: in the log, and in the journal for what it has not stored yet. */
  get name(): string {
    return this.#options.sinkEndpoint;
  }

  get dropped(): number {
    return this.#dropped + this.#sink.dropped;
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

  /** Throws both connections away and makes new ones. What was on its way is sent again by who needs it to arrive. */
  async reopen(): Promise<void> {
    const { sockets, sinkEndpoint } = this.#options;
    const [subscriber, sink] = [this.#subscriber, this.#sink];
    this.#dropped += sink.dropped;
    this.#subscriber = this.#connectSubscriber();
    this.#sink = sockets.connectPush(sinkEndpoint, { lingerMs });
    await Promise.all([subscriber.close(), sink.close()]);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([this.#subscriber.close(), this.#sink.close()]);
  }

  #connectSubscriber(): SubscriberSocket {
    const { sockets, managerEndpoint, protocol, node } = this.#options;
    const subscriber = sockets.connectSubscriber(managerEndpoint);
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

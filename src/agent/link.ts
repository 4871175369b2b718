import type { Closing } from '../platform/closing.ts';
import { serve } from '../platform/serve.ts';
import type { Sockets, SubscriberSocket } from '../platform/sockets.ts';
import { idOfRefused, openDispatch } from '../wire/dispatch.ts';
import { isServiceManagerError, type ServiceManagerError } from '../wire/errors.ts';
import type { RequestId, Topic } from '../wire/fields.ts';
import type { RequestBody } from '../wire/request.ts';
import { type ProtocolVersion, readTopicFrame, topicFrame } from '../wire/topic.ts';

export interface LinkOptions {
  readonly managerEndpoint: string;
  readonly topics: ReadonlySet<Topic>;
  readonly protocol: ProtocolVersion;
  /** A request that was meant for this node. */
  readonly onRequest: (body: RequestBody) => void;
  /** Meant for this node, but not usable. `id` is known when the message at least said that much. */
  readonly onRejected: (error: ServiceManagerError, id: RequestId | undefined) => void;
  /** Not meant for this node: ZeroMQ's prefix match let it through. */
  readonly onForeignTopic: (topic: string) => void;
}

/** Listens to one manager on the topics of this node. */
export class Link {
  readonly #socket: SubscriberSocket;
  readonly #options: LinkOptions;

  constructor(sockets: Sockets, closing: Closing, options: LinkOptions) {
    this.#options = options;
    this.#socket = closing.add(sockets.connectSubscriber(options.managerEndpoint));
    for (const topic of options.topics) this.#socket.subscribe(topicFrame(topic, options.protocol));
  }

  /** Resolves when the link is closed. */
  listen(): Promise<void> {
    return serve(this.#socket, (frames) => this.#receive(frames));
  }

  #receive(frames: readonly Buffer[]): void {
    const { topics, onRequest, onRejected, onForeignTopic } = this.#options;
    // Whether it is meant for us comes first: a host must not even refuse what was sent to another one.
    const topic = frames[0] === undefined ? undefined : readTopicFrame(frames[0])?.topic;
    if (topic === undefined || !topics.has(topic)) return onForeignTopic(topic ?? '');
    try {
      onRequest(openDispatch(frames).body);
    } catch (error) {
      if (!isServiceManagerError(error)) throw error;
      onRejected(error, idOfRefused(frames));
    }
  }
}

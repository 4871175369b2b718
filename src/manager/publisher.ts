import { Replay } from '../core/replay.ts';
import { Subscriptions } from '../core/subscriptions.ts';
import type { Socket } from '../platform/sockets.ts';
import type { RequestEnd } from '../wire/end.ts';
import { RequestEnd as RequestEndMessage } from '../wire/end.ts';
import type { ErrorCode } from '../wire/errors.ts';
import type { RequestId } from '../wire/fields.ts';
import { NodeChange, type NodeInfo, type RolloutInfo, RolloutProgress } from '../wire/query.ts';
import {
  endTopic,
  nodesTopic,
  outputTopic,
  readSubscription,
  rolloutTopic,
  type Subscription,
} from '../wire/topic.ts';

const replayLimits = { maxAgeMs: 60_000, maxBytes: 256 * 1024 * 1024, maxLossyBytes: 1024 * 1024 };

/** Sends answers and ends to whoever subscribed to a request's id; keeps them for a client that is not there yet. */
export class Publisher {
  readonly #socket: Socket;
  readonly #subscriptions: Subscriptions;
  readonly #replay = new Replay(replayLimits);
  /** Requests whose end was not published yet. */
  readonly #unended = new Set<RequestId>();
  /** Those of them that somebody listened to, and does not any more, as far as ZeroMQ says. */
  readonly #left = new Set<RequestId>();
  /** Of the last tick. */
  #nowMs = 0;

  /** `maxTopics`: that all clients together may listen to. */
  constructor(socket: Socket, maxTopics?: () => number) {
    this.#socket = socket;
    this.#subscriptions = new Subscriptions(maxTopics);
  }

  /** The port that clients are told. */
  get port(): number {
    return Number(this.#socket.endpoint.slice(this.#socket.endpoint.lastIndexOf(':') + 1));
  }

  get dropped(): number {
    return this.#socket.dropped;
  }

  /** Publications that waited for a subscription in vain. Their answers are in the history all the same. */
  get unclaimed(): number {
    return this.#replay.dropped;
  }

  /** What is published about this request waits for its first subscription, if that is not there already. */
  open(id: RequestId, now: number): void {
    this.#unended.add(id);
    if (this.#subscriptions.count('v1', id) === 0) this.#replay.open(id, now);
  }

  answer(id: RequestId, payload: Buffer): void {
    this.#publish(id, id, payload);
  }

  end(end: RequestEnd): void {
    this.#publish(end.uuid, endTopic(end.uuid), RequestEndMessage.encode(end));
    this.#unended.delete(end.uuid);
    this.#left.delete(end.uuid);
  }

  /** To whoever watches the actions; what is lost is in the answer. */
  output(id: RequestId, payload: Buffer): void {
    this.#publish(id, outputTopic(id), payload, true);
  }

  /** To whoever waits for a rollout. */
  rollout(id: RequestId, info: RolloutInfo): void {
    this.#publish(id, rolloutTopic(id), RolloutProgress.encode(info));
  }

  /** To whoever watches the nodes; nobody needs to have it afterwards. */
  nodeChanged(node: NodeInfo): void {
    this.#socket.send([Buffer.from(nodesTopic), NodeChange.encode(node)]);
  }

  /** Takes what the socket received. Says why when it is no subscription, or one too many. */
  subscription(frames: readonly Buffer[]): { code: ErrorCode; reason: string } | undefined {
    const [frame] = frames;
    const subscription = frame === undefined || frames.length !== 1 ? undefined : readSubscription(frame);
    if (subscription === undefined) return { code: 'INVALID_MESSAGE', reason: 'expected a subscription' };
    if (!this.#subscriptions.apply(subscription))
      return { code: 'TOO_BUSY', reason: 'too many topics are subscribed to' };
    if (subscription.version === 'v1') this.#listener(subscription);
    return undefined;
  }

  #listener(subscription: Subscription): void {
    const id = subscription.topic as string as RequestId;
    if (!subscription.isSubscribed) {
      // Its client may have lost the connection: what it misses meanwhile waits for it.
      if (this.#unended.has(id)) this.#leave(id);
      return;
    }
    // The map lookup inside decides whether this topic is a request's id at all.
    for (const { topic, payload } of this.#replay.subscribed(id)) {
      this.#socket.send([Buffer.from(topic), payload]);
    }
  }

  #leave(id: RequestId): void {
    this.#left.add(id);
    this.open(id, this.#nowMs);
  }

  tick(now: number): void {
    this.#nowMs = now;
    this.#replay.expire(now);
  }

  #publish(id: RequestId, topic: string, payload: Buffer, isLossy = false): void {
    // Any client can pretend the end of the subscription of another one, who is to hear it all the same.
    if (this.#replay.keep(id, { topic, payload, isLossy }) && !this.#left.has(id)) return;
    this.#socket.send([Buffer.from(topic), payload]);
  }
}

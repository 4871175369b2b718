import type { Subscription, TopicKind } from '../wire/topic.ts';

/** Whom a request on a topic reaches, by protocol version. */
export interface Reach {
  readonly v2: number;
  readonly v1: number;
  /** v1 agents on the topic that must not be asked: a shorter v1 topic would let other hosts receive it too. */
  readonly withheld: number;
}

/** A peer may subscribe to as many topics as it likes, and nobody can tell which peer it was. */
const mostTopics = 200_000;

/** Counts the subscriptions that a publishing socket sees come and go. */
export class Subscriptions {
  readonly #counts = {
    v1: new Map<string, number>(),
    v2: new Map<string, number>(),
    address: new Map<string, number>(),
  };
  readonly #maxTopics: () => number;

  /** `maxTopics`: so many of each kind at most, however many peers subscribe to each. */
  constructor(maxTopics: () => number = () => mostTopics) {
    this.#maxTopics = maxTopics;
  }

  /** False when it is to one topic too many: it is not counted. */
  apply(subscription: Subscription): boolean {
    const counts = this.#counts[subscription.version];
    const isNew = subscription.isSubscribed && !counts.has(subscription.topic);
    if (isNew && counts.size >= this.#maxTopics()) return false;
    const count = this.count(subscription.version, subscription.topic) + (subscription.isSubscribed ? 1 : -1);
    if (count > 0) counts.set(subscription.topic, count);
    else counts.delete(subscription.topic);
    return true;
  }

  count(version: TopicKind, topic: string): number {
    return this.#counts[version].get(topic) ?? 0;
  }

  /**
   * ZeroMQ matches v1 topics as prefixes and a 2014 agent does not look twice: `web10` sent as v1 while one agent
   * subscribes to `web1` would run on both. So it is then sent to no v1 agent at all.
   */
  reach(topic: string): Reach {
    const v2 = this.count('v2', topic);
    const v1 = this.count('v1', topic);
    return v1 > 0 && this.#hasShorterV1(topic) ? { v2, v1: 0, withheld: v1 } : { v2, v1, withheld: 0 };
  }

  #hasShorterV1(topic: string): boolean {
    for (let length = 0; length < topic.length; length += 1) {
      if (this.#counts.v1.has(topic.slice(0, length))) return true;
    }
    return false;
  }
}

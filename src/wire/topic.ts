import type { RequestId, Topic } from './fields.ts';

/** Protocol versions that may stand on one pair of sockets. */
export type ProtocolVersion = 'v1' | 'v2';

/** What a topic frame is: a topic of either version, or the address of one v2 node, which no topic can spell. */
export type TopicKind = ProtocolVersion | 'address';

export interface TopicFrame {
  readonly version: TopicKind;
  /** For an address: the name of the node. */
  readonly topic: Topic;
}

export interface Subscription extends TopicFrame {
  readonly isSubscribed: boolean;
}

const topicStart = 0x02;
const addressStart = 0x03;
const end = 0x00;
const longestTopicBytes = 1_024;

/**
 * The topic frame of the backend. v1 is the bare text, which ZeroMQ matches as a prefix; v2 ends in a zero, so that
 * `web1` is no prefix of `web10`.
 */
export function topicFrame(topic: string, version: ProtocolVersion): Buffer {
  return version === 'v1' ? Buffer.from(topic) : framed(topicStart, topic);
}

/** The topic frame that reaches one node by its name, whatever its topics are. */
export function addressFrame(node: string): Buffer {
  return framed(addressStart, node);
}

/** In place of a node's name: the address of all v2 agents. No node can have this name. */
export const everyAgent = '*';

/** Reads a topic frame of any kind; undefined when it is none. */
export function readTopicFrame(frame: Uint8Array): TopicFrame | undefined {
  if (frame.byteLength > longestTopicBytes) return undefined;
  const isAddress = frame[0] === addressStart;
  if (frame[0] !== topicStart && !isAddress) return { version: 'v1', topic: text(frame) };
  if (frame.byteLength < 3 || frame[frame.byteLength - 1] !== end) return undefined;
  return { version: isAddress ? 'address' : 'v2', topic: text(frame.subarray(1, -1)) };
}

/**
 * What an XPUB socket receives: 0x01 (subscribe) or 0x00 (unsubscribe) and the topic frame subscribed to.
 * Undefined for anything else that a peer may push through.
 */
export function readSubscription(frame: Uint8Array): Subscription | undefined {
  if (frame[0] !== 0 && frame[0] !== 1) return undefined;
  const read = readTopicFrame(frame.subarray(1));
  return read === undefined ? undefined : { ...read, isSubscribed: frame[0] === 1 };
}

/** Topic of the publisher for the end of a request: no v1 subscriber of the id ever sees it. */
export function endTopic(id: RequestId): string {
  return `end/${id}`;
}

/** Topic of the publisher for the progress of a rollout. */
export function rolloutTopic(id: RequestId): string {
  return `rollout/${id}`;
}

/** Topic of the publisher for what the actions of a request print while they run. */
export function outputTopic(id: RequestId): string {
  return `output/${id}`;
}

/** Topic of the publisher for changes of the nodes. */
export const nodesTopic = 'nodes/';

function framed(start: number, topic: string): Buffer {
  return Buffer.concat([Buffer.of(start), Buffer.from(topic), Buffer.of(end)]);
}

function text(bytes: Uint8Array): Topic {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8') as Topic;
}

import type { RequestId, Topic } from './fields.ts';

/** Protocol versions that may stand on one pair of sockets. */
export type ProtocolVersion = 'v1' | 'v2';

export interface Subscription {
  readonly isSubscribed: boolean;
  readonly version: ProtocolVersion;
  readonly topic: Topic;
}

const start = 0x02;
const end = 0x00;
const longestTopicBytes = 1_024;

/**
 * The topic frame of the backend. v1 is the bare text, which ZeroMQ matches as a prefix; v2 ends in a zero, so that
 * `web1` is no prefix of `web10`.
 */
export function topicFrame(topic: string, version: ProtocolVersion): Buffer {
  return version === 'v1'
    ? Buffer.from(topic)
    : Buffer.concat([Buffer.of(start), Buffer.from(topic), Buffer.of(end)]);
}

/** Reads a topic frame of either version; undefined when it is neither. */
export function readTopicFrame(frame: Uint8Array): { version: ProtocolVersion; topic: Topic } | undefined {
  if (frame.byteLength > longestTopicBytes) return undefined;
  if (frame[0] !== start) return { version: 'v1', topic: text(frame) };
  if (frame.byteLength < 3 || frame[frame.byteLength - 1] !== end) return undefined;
  return { version: 'v2', topic: text(frame.subarray(1, -1)) };
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

function text(bytes: Uint8Array): Topic {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8') as Topic;
}

import { type Static, Type } from '@sinclair/typebox';
import { message } from './codec.ts';
import type { ErrorCode, ServiceManagerError } from './errors.ts';
import { CurveKeyText, RequestId } from './fields.ts';

/** Room for the names of some ten thousand nodes. */
export const maxReplyBytes = 4 * 1024 * 1024;

/** The 2014 form of "no": a frontend or management refusal, or an agent's own trouble. `code` is new. */
export const Failure = message(
  'Failure',
  maxReplyBytes,
  Type.Object({
    success: Type.Literal(-1, { description: 'the number -1' }),
    msg: Type.String({ description: 'a text' }),
    code: Type.Optional(Type.String({ description: 'one of the error codes' })),
  }),
);
export type Failure = Static<typeof Failure.schema>;

/** A node that is known, but not there. */
export const Absence = Type.Object({
  node: Type.String({ description: 'a node name' }),
  /** Milliseconds since anything was heard of it. */
  lastSeenAgoMs: Type.Number({ minimum: 0, description: 'milliseconds' }),
  /** It said goodbye. */
  hasLeft: Type.Optional(Type.Boolean()),
});
export type Absence = Static<typeof Absence>;

/** The request was taken: listen at `port` of the same host for the topic `uuid`. */
export const Accepted = message(
  'Accepted',
  maxReplyBytes,
  Type.Object({
    uuid: RequestId,
    port: Type.Integer({ minimum: 1, maximum: 65_535, description: 'a port from 1 to 65535' }),
    /** 2: this manager publishes the end of the request. */
    v: Type.Optional(Type.Integer({ description: 'a protocol version' })),
    /** Agents that the request was sent to and that are alive: named nodes, and v1 agents by their number. */
    expected: Type.Optional(Type.Integer({ minimum: 0, description: 'a count' })),
    /** v1 agents on the topic that were left out (TOPIC_AMBIGUOUS). */
    withheld: Type.Optional(Type.Integer({ minimum: 0, description: 'a count' })),
    /** To v2 clients: the named nodes among the expected. */
    nodes: Type.Optional(Type.Array(Type.String(), { description: 'a list of node names' })),
    /** To v2 clients: nodes on the topic that are known, but not there. */
    unreachable: Type.Optional(Type.Array(Absence, { description: 'a list of absent nodes' })),
    /** By how much the clock of the client is ahead of the manager's; negative: behind. Only of requests that say when they were sent. */
    clockOffsetMs: Type.Optional(Type.Number({ description: 'milliseconds' })),
  }),
);
export type Accepted = Static<typeof Accepted.schema>;

export function failure(code: ErrorCode, msg: string): Failure {
  return { success: -1, msg, code };
}

export function failureOf(error: ServiceManagerError): Failure {
  return failure(error.code, error.message);
}

/** What a reply of any kind may say beside all else: the key that the manager is going to have instead of its own. */
export const NextKey = message('NextKey', 16 * maxReplyBytes, Type.Object({ nextKey: CurveKeyText }));

// It stands first, so that nobody has to read all of a long reply to see whether it is there.
const nextKeyStart = '{"nextKey":';

export function withNextKey(reply: object, nextKey: string | undefined): object {
  return nextKey === undefined ? reply : { nextKey, ...reply };
}

/** The next key of the manager that sent this reply, if it says so. */
export function nextKeyIn(reply: Buffer): string | undefined {
  const hasOne = reply.subarray(0, nextKeyStart.length).toString('latin1') === nextKeyStart;
  return hasOne ? NextKey.tryDecode(reply)?.nextKey : undefined;
}

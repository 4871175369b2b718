import { type Static, Type } from '@sinclair/typebox';
import { message } from './codec.ts';
import type { ErrorCode, ServiceManagerError } from './errors.ts';
import { RequestId } from './fields.ts';

const maxReplyBytes = 64 * 1024;

/** The 2014 form of "no": a frontend or management refusal, or an agent's own trouble. `code` is new. */
export const Failure = message(
  'Failure',
  maxReplyBytes,
  Type.Object({
    success: Type.Literal(-1),
    msg: Type.String(),
    code: Type.Optional(Type.String({ description: 'one of the error codes' })),
  }),
);
export type Failure = Static<typeof Failure.schema>;

/** The request was taken: listen at `port` of the same host for the topic `uuid`. */
export const Accepted = message(
  'Accepted',
  maxReplyBytes,
  Type.Object({
    uuid: RequestId,
    port: Type.Integer({ minimum: 1, maximum: 65_535, description: 'a port from 1 to 65535' }),
    /** 2: this manager publishes the end of the request. */
    v: Type.Optional(Type.Integer()),
    /** Connected agents that the request was sent to. */
    expected: Type.Optional(Type.Integer({ minimum: 0, description: 'a count' })),
    /** v1 agents on the topic that were left out (TOPIC_AMBIGUOUS). */
    withheld: Type.Optional(Type.Integer({ minimum: 0, description: 'a count' })),
  }),
);
export type Accepted = Static<typeof Accepted.schema>;

export function failure(code: ErrorCode, msg: string): Failure {
  return { success: -1, msg, code };
}

export function failureOf(error: ServiceManagerError): Failure {
  return failure(error.code, error.message);
}

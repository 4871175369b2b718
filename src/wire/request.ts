import { type Static, Type } from '@sinclair/typebox';
import { message } from './codec.ts';
import { ServiceManagerError } from './errors.ts';
import { ActionName, NodeName, RequestId, ServiceName, Topic } from './fields.ts';

export const maxRequestBytes = 64 * 1024;

const timeoutMs = Type.Integer({
  minimum: 1,
  maximum: 86_400_000,
  description: 'milliseconds from 1 to 86400000',
});

/** v2: what the client means, as text that is passed on byte for byte (and, later, is what was signed). */
export const RequestBody = message(
  'RequestBody',
  maxRequestBytes,
  Type.Object({
    id: RequestId,
    cmd: ActionName,
    topic: Topic,
    service: ServiceName,
    /** Time limit of the action on each node; the agent's own limit applies where it is shorter. */
    timeoutMs: Type.Optional(timeoutMs),
    /** How long the client listens for answers. */
    windowMs: Type.Optional(timeoutMs),
    /** Milliseconds since 1970, by the clock of the client: an agent does not begin with it later. */
    notAfterMs: Type.Optional(Type.Integer({ minimum: 0, description: 'milliseconds since 1970' })),
    /** Aims at these nodes only, by name, instead of all that the topic reaches. */
    nodes: Type.Optional(
      Type.Array(NodeName, { minItems: 1, maxItems: 1_000, description: 'a list of 1 to 1000 node names' }),
    ),
  }),
);
export type RequestBody = Static<typeof RequestBody.schema>;

/**
 * One JSON frame on the frontend: a good v1 request as it stands, so that a v1 manager serves a v2 client.
 * `v`, `body` and `signature` are the v2 part.
 */
export const FrontendRequest = message(
  'FrontendRequest',
  maxRequestBytes,
  Type.Object({
    cmd: ActionName,
    topic: Topic,
    service: ServiceName,
    v: Type.Optional(Type.Literal(2, { description: 'the number 2' })),
    body: Type.Optional(Type.String({ description: 'a RequestBody as JSON text' })),
    signature: Type.Optional(
      Type.String({ maxLength: 1_024, description: 'a text of at most 1024 characters' }),
    ),
  }),
);
export type FrontendRequest = Static<typeof FrontendRequest.schema>;

/** A request that passed the door: what it means, and the bytes that say so to v2 agents. */
export interface CheckedRequest {
  readonly version: 'v1' | 'v2';
  readonly body: RequestBody;
  readonly bodyBytes: Buffer;
  readonly signature: string;
}

/**
 * Opens a frontend frame. A v1 request gets `newId`; a v2 request carries its own.
 * Throws FRAME_TOO_LARGE, NOT_JSON, INVALID_MESSAGE or BODY_MISMATCH.
 */
export function openRequest(frame: Uint8Array, newId: () => RequestId): CheckedRequest {
  const request = FrontendRequest.decode(frame);
  if (request.v === undefined) {
    const body = { id: newId(), cmd: request.cmd, topic: request.topic, service: request.service };
    return { version: 'v1', body, bodyBytes: RequestBody.encode(body), signature: '' };
  }
  if (request.body === undefined) {
    throw new ServiceManagerError(
      'INVALID_MESSAGE',
      'FrontendRequest: field body is missing, expected with v 2',
    );
  }
  const bodyBytes = Buffer.from(request.body);
  const body = RequestBody.decode(bodyBytes);
  for (const field of ['cmd', 'topic', 'service'] as const) {
    if (body[field] !== request[field]) {
      throw new ServiceManagerError(
        'BODY_MISMATCH',
        `FrontendRequest: field ${field} is "${request[field]}", but the body says "${body[field]}"`,
      );
    }
  }
  return { version: 'v2', body, bodyBytes, signature: request.signature ?? '' };
}

/** The frame a v2 client sends. */
export function sealRequest(body: RequestBody): Buffer {
  return FrontendRequest.encode({
    cmd: body.cmd,
    topic: body.topic,
    service: body.service,
    v: 2,
    body: JSON.stringify(body),
    signature: '',
  });
}

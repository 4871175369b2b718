import { type Static, Type } from '@sinclair/typebox';
import { message } from './codec.ts';
import { ServiceManagerError } from './errors.ts';
import { ActionName, RequestId, ServiceName, Topic } from './fields.ts';
import { maxRequestBytes, RequestBody } from './request.ts';
import { readTopicFrame, topicFrame } from './topic.ts';

/** v1 backend message, second frame. */
export const DispatchV1 = message(
  'DispatchV1',
  maxRequestBytes,
  Type.Object({ cmd: ActionName, topic: Topic, service: ServiceName, uuid: RequestId }),
);

/** v2 backend message, second frame: what the manager itself says about the request in the third. */
export const DispatchHeader = message(
  'DispatchHeader',
  4 * 1024,
  Type.Object({
    v: Type.Literal(2, { description: 'the number 2' }),
    type: Type.String({ maxLength: 32, description: 'a message type' }),
    id: RequestId,
  }),
);
export type DispatchHeader = Static<typeof DispatchHeader.schema>;

/** What an agent makes of a backend message. */
export interface Dispatch {
  readonly topic: Topic;
  readonly body: RequestBody;
}

export function dispatchFramesV1(body: RequestBody): Buffer[] {
  const { cmd, topic, service, id } = body;
  return [topicFrame(topic, 'v1'), DispatchV1.encode({ cmd, topic, service, uuid: id })];
}

export function dispatchFramesV2(
  topic: Topic,
  id: RequestId,
  bodyBytes: Buffer,
  signature: string,
): Buffer[] {
  const header = DispatchHeader.encode({ v: 2, type: 'request', id });
  return [topicFrame(topic, 'v2'), header, bodyBytes, Buffer.from(signature)];
}

/**
 * Opens a backend message of either version: two frames are v1, four are v2.
 * Throws FRAME_COUNT, FRAME_TOO_LARGE, NOT_JSON, INVALID_MESSAGE, UNKNOWN_TYPE or BODY_MISMATCH.
 */
export function openDispatch(frames: readonly Uint8Array[]): Dispatch {
  const [topicBytes, second, bodyBytes] = frames;
  const read = topicBytes === undefined ? undefined : readTopicFrame(topicBytes);
  if (read === undefined || second === undefined || (frames.length !== 2 && frames.length !== 4)) {
    throw new ServiceManagerError(
      'FRAME_COUNT',
      `backend message of ${frames.length} frames, expected 2 or 4`,
    );
  }
  return bodyBytes === undefined ? openV1(read.topic, second) : openV2(read.topic, second, bodyBytes);
}

function openV1(topic: Topic, frame: Uint8Array): Dispatch {
  const { uuid, cmd, service, topic: asked } = DispatchV1.decode(frame);
  return { topic, body: { id: uuid, cmd, topic: asked, service } };
}

function openV2(topic: Topic, headerBytes: Uint8Array, bodyBytes: Uint8Array): Dispatch {
  const header = DispatchHeader.decode(headerBytes);
  if (header.type !== 'request') {
    throw new ServiceManagerError(
      'UNKNOWN_TYPE',
      `DispatchHeader: type is "${header.type}", expected request`,
    );
  }
  const body = RequestBody.decode(bodyBytes);
  if (body.id !== header.id) {
    throw new ServiceManagerError(
      'BODY_MISMATCH',
      `DispatchHeader: id ${header.id}, but the body says ${body.id}`,
    );
  }
  return { topic, body };
}

const IdOnly = message(
  'IdOnly',
  maxRequestBytes,
  Type.Object({ uuid: Type.Optional(RequestId), id: Type.Optional(RequestId) }),
);

/** The id in the second frame of a message that could not be opened, if it has one: then it can be answered. */
export function idOfRefused(frames: readonly Uint8Array[]): RequestId | undefined {
  const read = IdOnly.tryDecode(frames[1] ?? new Uint8Array());
  return read?.uuid ?? read?.id;
}

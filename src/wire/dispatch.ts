import { type Static, Type } from '@sinclair/typebox';
import { message } from './codec.ts';
import { ServiceManagerError } from './errors.ts';
import { ActionName, RequestId, ServiceName, Topic } from './fields.ts';
import { BootId } from './presence.ts';
import { RequestBody } from './request.ts';
import { topicFrame } from './topic.ts';

const maxHeaderBytes = 64 * 1024;

/** v1 backend message, second frame. */
export const DispatchV1 = message(
  'DispatchV1',
  maxHeaderBytes,
  Type.Object({ cmd: ActionName, topic: Topic, service: ServiceName, uuid: RequestId }),
);

/** v2 backend message, second frame: what the manager itself says. Of what type it is decides which fields it has. */
export const DispatchHeader = message(
  'DispatchHeader',
  maxHeaderBytes,
  Type.Object({
    v: Type.Literal(2, { description: 'the number 2' }),
    type: Type.String({ maxLength: 32, description: 'a message type' }),
    /** `request`, `cancel`, `stored`: the request it is about. */
    id: Type.Optional(RequestId),
    /** `request`: do not begin later than this, by the clock of the manager; missing where the body's own time will do. */
    notAfterMs: Type.Optional(Type.Integer({ minimum: 0, description: 'milliseconds since 1970' })),
    /** `conflict`: the runs of agents that use the name of this node at the same time. */
    boots: Type.Optional(Type.Array(BootId, { maxItems: 100, description: 'a list of boot ids' })),
  }),
);
export type DispatchHeader = Static<typeof DispatchHeader.schema>;

/** What an agent makes of a backend message. */
export type Dispatch =
  | { readonly type: 'request'; readonly body: RequestBody }
  /** Don't start it; end it if it runs. */
  | { readonly type: 'cancel'; readonly id: RequestId }
  /** This manager has stored the result: it need not be kept for it. */
  | { readonly type: 'stored'; readonly id: RequestId }
  /** The manager does not know this agent: say hello. */
  | { readonly type: 'who' }
  /** To all agents, every few seconds: who hears it answers with a beat. */
  | { readonly type: 'pulse' }
  /** Two agents use this name: serve neither. */
  | { readonly type: 'conflict'; readonly boots: readonly BootId[] };

export function dispatchFramesV1(body: RequestBody): Buffer[] {
  const { cmd, service, id } = body;
  // Only a plain topic reaches v1 agents.
  const topic = body.topic as Topic;
  return [topicFrame(topic, 'v1'), DispatchV1.encode({ cmd, topic, service, uuid: id })];
}

/** What v2 agents get of a request. */
export interface SealedRequest {
  readonly id: RequestId;
  readonly bodyBytes: Buffer;
  readonly signature: string;
  /** Milliseconds since 1970: nobody begins with it later. */
  readonly notAfterMs?: number | undefined;
}

/** `to` is the topic frame: of a topic, or the address of a node. */
export function dispatchFramesV2(
  to: Buffer,
  { id, bodyBytes, signature, notAfterMs }: SealedRequest,
): Buffer[] {
  const until = notAfterMs === undefined ? {} : { notAfterMs };
  const header = DispatchHeader.encode({ v: 2, type: 'request', id, ...until });
  return [to, header, bodyBytes, Buffer.from(signature)];
}

/** A message without a body. */
export function controlFrames(to: Buffer, control: Exclude<Dispatch, { type: 'request' }>): Buffer[] {
  const { type } = control;
  const id = 'id' in control ? { id: control.id } : {};
  const boots = 'boots' in control ? { boots: [...control.boots] } : {};
  return [to, DispatchHeader.encode({ v: 2, type, ...id, ...boots }), Buffer.alloc(0), Buffer.alloc(0)];
}

/**
 * Opens a backend message of either version: two frames are v1, four are v2.
 * Throws FRAME_COUNT, FRAME_TOO_LARGE, NOT_JSON, INVALID_MESSAGE, UNKNOWN_TYPE or BODY_MISMATCH.
 */
export function openDispatch(frames: readonly Uint8Array[]): Dispatch {
  const [topic, second, bodyBytes] = frames;
  if (topic === undefined || second === undefined || (frames.length !== 2 && frames.length !== 4)) {
    throw new ServiceManagerError(
      'FRAME_COUNT',
      `backend message of ${frames.length} frames, expected 2 or 4`,
    );
  }
  return bodyBytes === undefined ? openV1(second) : openV2(second, bodyBytes);
}

function openV1(frame: Uint8Array): Dispatch {
  const { uuid, cmd, service, topic } = DispatchV1.decode(frame);
  return { type: 'request', body: { id: uuid, cmd, topic, service } };
}

function openV2(headerBytes: Uint8Array, bodyBytes: Uint8Array): Dispatch {
  const { type, id, boots, notAfterMs } = DispatchHeader.decode(headerBytes);
  if (type === 'who' || type === 'pulse') return { type };
  if (type === 'conflict') return { type, boots: boots ?? [] };
  if (type !== 'request' && type !== 'cancel' && type !== 'stored') {
    throw new ServiceManagerError('UNKNOWN_TYPE', `DispatchHeader: type "${type}" is not known`);
  }
  if (id === undefined) {
    throw new ServiceManagerError(
      'INVALID_MESSAGE',
      `DispatchHeader: field id is missing, expected with type ${type}`,
    );
  }
  if (type !== 'request') return { type, id };
  const body = RequestBody.decode(bodyBytes);
  if (body.id === id) return { type, body: withDeadline(body, notAfterMs) };
  throw new ServiceManagerError('BODY_MISMATCH', `DispatchHeader: id ${id}, but the body says ${body.id}`);
}

/** The earlier one of both: the manager may know better, but cannot make a request last longer than its client said. */
function withDeadline(body: RequestBody, notAfterMs: number | undefined): RequestBody {
  if (notAfterMs === undefined) return body;
  return { ...body, notAfterMs: Math.min(notAfterMs, body.notAfterMs ?? notAfterMs) };
}

/** What is read of a message that could not be opened. */
export const IdOnly = message(
  'IdOnly',
  maxHeaderBytes,
  Type.Object({ uuid: Type.Optional(RequestId), id: Type.Optional(RequestId) }),
);

/** The id in the second frame of a message that could not be opened, if it has one: then it can be answered. */
export function idOfRefused(frames: readonly Uint8Array[]): RequestId | undefined {
  const read = IdOnly.tryDecode(frames[1] ?? new Uint8Array());
  return read?.uuid ?? read?.id;
}

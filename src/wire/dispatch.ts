import { type Static, Type } from '@sinclair/typebox';
import { message } from './codec.ts';
import { ServiceManagerError } from './errors.ts';
import { ActionName, CurveKeyText, RequestId, ServiceName, Topic } from './fields.ts';
import { BootId } from './presence.ts';
import { maxSignatureLength, RequestBody } from './request.ts';
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
    /** `pulse`: the key that the manager is going to have instead of its own. */
    nextKey: Type.Optional(CurveKeyText),
  }),
);
export type DispatchHeader = Static<typeof DispatchHeader.schema>;

/** A text of somebody who signs, byte for byte, and the signature, which is empty where there is none. */
export interface Signed {
  readonly bytes: Buffer;
  readonly signature: string;
}

/** What an agent makes of a backend message. */
export type Dispatch =
  /** `signed`: the body as its client wrote it; undefined of a v1 message, which has no such text. */
  | { readonly type: 'request'; readonly body: RequestBody; readonly signed: Signed | undefined }
  /** Don't start it; end it if it runs. `signed`: the query of who cancelled it; undefined where the manager does not say. */
  | { readonly type: 'cancel'; readonly id: RequestId; readonly signed?: Signed | undefined }
  /** This manager has stored the result: it need not be kept for it. */
  | { readonly type: 'stored'; readonly id: RequestId }
  /** The manager does not know this agent: say hello. */
  | { readonly type: 'who' }
  /** To all agents, every few seconds: who hears it answers with a beat. */
  | { readonly type: 'pulse'; readonly nextKey?: string | undefined }
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

/** All but requests. */
export function controlFrames(to: Buffer, control: Exclude<Dispatch, { type: 'request' }>): Buffer[] {
  const { type } = control;
  const id = 'id' in control ? { id: control.id } : {};
  const boots = 'boots' in control ? { boots: [...control.boots] } : {};
  const nextKey =
    control.type === 'pulse' && control.nextKey !== undefined ? { nextKey: control.nextKey } : {};
  const { bytes, signature } = (control.type === 'cancel' ? control.signed : undefined) ?? unsigned;
  const header = DispatchHeader.encode({ v: 2, type, ...id, ...boots, ...nextKey });
  return [to, header, bytes, Buffer.from(signature)];
}

const unsigned: Signed = { bytes: Buffer.alloc(0), signature: '' };

/**
 * Opens a backend message of either version: two frames are v1, four are v2.
 * Throws FRAME_COUNT, FRAME_TOO_LARGE, NOT_JSON, INVALID_MESSAGE, UNKNOWN_TYPE or BODY_MISMATCH.
 */
export function openDispatch(frames: readonly Buffer[]): Dispatch {
  const [topic, second, bodyBytes, signature] = frames;
  if (topic === undefined || second === undefined || (frames.length !== 2 && frames.length !== 4)) {
    throw new ServiceManagerError(
      'FRAME_COUNT',
      `backend message of ${frames.length} frames, expected 2 or 4`,
    );
  }
  if (bodyBytes === undefined || signature === undefined) return openV1(second);
  return openV2(second, { bytes: bodyBytes, signature: readSignature(signature) });
}

function readSignature(frame: Buffer): string {
  if (frame.byteLength <= maxSignatureLength) return frame.toString('latin1');
  throw new ServiceManagerError(
    'FRAME_TOO_LARGE',
    `signature of ${frame.byteLength} bytes, expected at most ${maxSignatureLength}`,
  );
}

function openV1(frame: Uint8Array): Dispatch {
  const { uuid, cmd, service, topic } = DispatchV1.decode(frame);
  return { type: 'request', body: { id: uuid, cmd, topic, service }, signed: undefined };
}

function openV2(headerBytes: Uint8Array, signed: Signed): Dispatch {
  const { type, id, boots, notAfterMs, nextKey } = DispatchHeader.decode(headerBytes);
  if (type === 'who') return { type };
  if (type === 'pulse') return nextKey === undefined ? { type } : { type, nextKey };
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
  if (type === 'stored') return { type, id };
  if (type === 'cancel') return signed.bytes.byteLength === 0 ? { type, id } : { type, id, signed };
  const body = RequestBody.decode(signed.bytes);
  if (body.id === id) return { type, body: withDeadline(body, notAfterMs), signed };
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

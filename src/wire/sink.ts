import { Type } from '@sinclair/typebox';
import { message } from './codec.ts';
import { ServiceManagerError } from './errors.ts';
import { NodeName, RequestId } from './fields.ts';
import { OutputPiece } from './output.ts';
import { Ack, type AckPhase, Beat, type BootId, Hello } from './presence.ts';
import { Answer, isServiceAnswer, maxResultBytes, nodeOfAnswer, withTextOutput } from './result.ts';

/** What an agent says, as it arrived at the sink. */
export type SinkMessage =
  | {
      readonly type: 'result';
      readonly id: RequestId;
      /** Undefined when a v1 agent reports trouble without naming itself. */
      readonly node: NodeName | undefined;
      readonly isV1: boolean;
      readonly answer: Answer;
      /** The answer as it came: handed on without being written again. */
      readonly payload: Buffer;
    }
  | { readonly type: 'ack'; readonly id: RequestId; readonly node: NodeName; readonly phase: AckPhase }
  /** The payload is an `OutputPiece`. */
  | { readonly type: 'output'; readonly id: RequestId; readonly node: NodeName; readonly payload: Buffer }
  | { readonly type: 'hello'; readonly hello: Hello }
  | {
      readonly type: 'beat';
      readonly node: NodeName;
      readonly boot: BootId;
      /** By the clock of the node, in milliseconds since 1970. */
      readonly sentAtMs?: number | undefined;
    }
  | { readonly type: 'bye'; readonly node: NodeName; readonly boot: BootId };

export const sinkTypes = ['result', 'ack', 'output', 'hello', 'beat', 'bye'] as const;

const maxRoutingBytes = 1_024;

/** The small v2 frames `uuid, node, sequence`. For presence messages `uuid` is the boot id. */
export const SinkRouting = message(
  'SinkRouting',
  maxRoutingBytes,
  Type.Object({
    uuid: RequestId,
    node: NodeName,
    /** Counts up with each message of one agent. */
    sequence: Type.Integer({ minimum: 0, description: 'a count' }),
  }),
);

export function resultFrames(id: RequestId, node: NodeName, sequence: number, payload: Buffer): Buffer[] {
  return sinkFrames('result', id, node, sequence, payload);
}

export function ackFrames(id: RequestId, node: NodeName, sequence: number, phase: AckPhase): Buffer[] {
  return sinkFrames('ack', id, node, sequence, Ack.encode({ phase }));
}

export function outputFrames(id: RequestId, sequence: number, piece: OutputPiece): Buffer[] {
  return sinkFrames('output', id, piece.node, sequence, OutputPiece.encode(piece));
}

export function helloFrames(hello: Hello, sequence: number): Buffer[] {
  return sinkFrames('hello', hello.boot, hello.node, sequence, Hello.encode(hello));
}

/** Still here. `sentAtMs` by the clock of the node, in milliseconds since 1970. */
export function beatFrames(node: NodeName, boot: BootId, sequence: number, sentAtMs: number): Buffer[] {
  return sinkFrames('beat', boot, node, sequence, Beat.encode({ sentAtMs }));
}

/** Stopping. */
export function byeFrames(node: NodeName, boot: BootId, sequence: number): Buffer[] {
  return sinkFrames('bye', boot, node, sequence, Buffer.alloc(0));
}

function sinkFrames(type: string, uuid: string, node: string, sequence: number, payload: Buffer): Buffer[] {
  return [...[type, uuid, node, String(sequence)].map((text) => Buffer.from(text)), payload, Buffer.alloc(0)];
}

/** What the MAC of a v2 message is looked up and remembered by; undefined where it is v1. Throws as `openSinkMessage` does. */
export function sinkRoutingOf(frames: readonly Buffer[]): Routing | undefined {
  const [first, uuid, node, sequence] = frames;
  if (frames.length === 1) return undefined;
  if (frames.length !== 6 || !first || !uuid || !node || !sequence) throw wrongFrameCount(frames);
  return readRouting(uuid, node, sequence);
}

/** The frames with the MAC in its place, which is the last. */
export function withMac(frames: readonly Buffer[], mac: Buffer): Buffer[] {
  return [...frames.slice(0, -1), mac];
}

/**
 * Opens a sink message of either version: one frame is v1, six are v2: `[type, uuid, node, sequence, payload, mac]`.
 * Throws FRAME_COUNT, FRAME_TOO_LARGE, NOT_JSON, INVALID_MESSAGE, UNKNOWN_TYPE or BODY_MISMATCH.
 */
export function openSinkMessage(frames: readonly Buffer[]): SinkMessage {
  const [first, uuid, node, sequence, payload] = frames;
  if (frames.length === 1 && first !== undefined) return openV1(first);
  if (frames.length !== 6 || !first || !uuid || !node || !sequence || !payload) throw wrongFrameCount(frames);
  return openV2(first, readRouting(uuid, node, sequence), payload);
}

function wrongFrameCount({ length }: readonly Buffer[]): ServiceManagerError {
  return new ServiceManagerError('FRAME_COUNT', `sink message of ${length} frames, expected 1 or 6`);
}

function openV1(frame: Buffer): SinkMessage {
  const answer = Answer.decode(frame);
  const isListed =
    isServiceAnswer(answer) && [answer.result.stdout, answer.result.stderr].some(Array.isArray);
  const payload = isListed ? Answer.encode(withTextOutput(answer)) : frame;
  return { type: 'result', id: answer.uuid, node: nodeOfAnswer(answer), isV1: true, answer, payload };
}

export type Routing = ReturnType<typeof readRouting>;

function readRouting(uuid: Buffer, node: Buffer, sequence: Buffer) {
  if (uuid.byteLength + node.byteLength + sequence.byteLength > maxRoutingBytes) {
    throw new ServiceManagerError(
      'FRAME_TOO_LARGE',
      `SinkRouting: routing frames over ${maxRoutingBytes} bytes`,
    );
  }
  const digits = sequence.toString('latin1');
  return SinkRouting.parse({
    uuid: uuid.toString(),
    node: node.toString(),
    sequence: /^\d{1,15}$/.test(digits) ? Number(digits) : digits,
  });
}

function openV2(type: Buffer, { uuid, node }: Routing, payload: Buffer): SinkMessage {
  const name = type.toString('latin1');
  if (name === 'result') return openResult(uuid, node, payload);
  if (name === 'output') return openOutput(uuid, node, payload);
  if (name === 'ack') return { type: name, id: uuid, node, phase: Ack.decode(payload).phase };
  // The routing schema has checked that it is 32 hex characters, which is all that a boot id is.
  const boot = uuid as string as BootId;
  if (name === 'bye') return { type: name, node, boot };
  if (name === 'beat') return { type: name, node, boot, sentAtMs: sentAtOf(payload) };
  if (name !== 'hello') {
    throw new ServiceManagerError(
      'UNKNOWN_TYPE',
      `sink message of an unknown type, expected one of ${sinkTypes.join(', ')}`,
    );
  }
  const hello = Hello.decode(payload);
  if (hello.node !== node || hello.boot !== boot)
    throw mismatch(`Hello: from ${node}, but it says ${hello.node}`);
  return { type: name, hello };
}

function sentAtOf(payload: Buffer): number | undefined {
  return payload.byteLength === 0 ? undefined : Beat.decode(payload).sentAtMs;
}

function openResult(id: RequestId, node: NodeName, payload: Buffer): SinkMessage {
  if (payload.byteLength > maxResultBytes) {
    throw new ServiceManagerError('FRAME_TOO_LARGE', `Answer: payload over ${maxResultBytes} bytes`);
  }
  const answer = Answer.decode(payload);
  if (answer.uuid !== id || nodeOfAnswer(answer) !== node) {
    throw mismatch(`Answer: from ${node} to request ${id}, but it says otherwise`);
  }
  return { type: 'result', id, node, isV1: false, answer, payload };
}

function openOutput(id: RequestId, node: NodeName, payload: Buffer): SinkMessage {
  if (OutputPiece.decode(payload).node === node) return { type: 'output', id, node, payload };
  throw mismatch(`OutputPiece: from ${node}, but it says otherwise`);
}

function mismatch(text: string): ServiceManagerError {
  return new ServiceManagerError('BODY_MISMATCH', text);
}

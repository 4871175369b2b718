import { type Static, Type } from '@sinclair/typebox';
import { message } from './codec.ts';
import { ServiceManagerError } from './errors.ts';
import { NodeName, RequestId, State } from './fields.ts';

/** Room for two streams of the largest `output_limit` with every byte escaped as \u00XX. */
export const maxResultBytes = 4 * 1024 * 1024;
const maxSmallFrameBytes = 1_024;

// The last 2014 agents send a list of lines where the first ones sent a text.
const output = Type.Union([Type.String(), Type.Array(Type.String())], {
  description: 'a text or a list of lines',
});
const cutBytes = Type.Optional(Type.Integer({ minimum: 0, description: 'bytes that were cut' }));

/** What one node says of one action. The first seven fields are those of 2014; the others are new. */
export const ActionResult = Type.Object({
  node: Type.String({ minLength: 1, maxLength: 255, description: 'a node name' }),
  /** Exit code of service(8) as the host gave it; minus the signal number when a signal ended it. */
  returncode: Type.Integer({ description: 'an exit code' }),
  service: Type.String({ description: 'a service name' }),
  stdout: output,
  stderr: output,
  /** `uname -s` */
  system: Type.String({ description: 'a system name' }),
  /** `uname -v` */
  version: Type.String({ description: 'a system version' }),
  state: Type.Optional(State),
  provider: Type.Optional(Type.String()),
  durationMs: Type.Optional(Type.Number({ minimum: 0, description: 'milliseconds' })),
  /** The action ran into its time limit and was ended. */
  timedOut: Type.Optional(Type.Boolean()),
  stdoutCutBytes: cutBytes,
  stderrCutBytes: cutBytes,
});
export type ActionResult = Static<typeof ActionResult>;

/** An answer of a node: the action's result, or (2014 form) the agent's own trouble with `success: -1`. */
export const Answer = message(
  'Answer',
  maxResultBytes,
  Type.Union([
    Type.Object({ msg: Type.String(), result: ActionResult, uuid: RequestId }),
    Type.Object({
      success: Type.Literal(-1, { description: 'the number -1' }),
      msg: Type.String(),
      // 2014 agents do not name themselves when they refuse a message.
      node: Type.Optional(Type.String({ minLength: 1, maxLength: 255 })),
      uuid: RequestId,
      code: Type.Optional(Type.String({ description: 'one of the error codes' })),
    }),
  ]),
);
export type Answer = Static<typeof Answer.schema>;
export type ServiceAnswer = Extract<Answer, { result: unknown }>;
export type TroubleAnswer = Exclude<Answer, ServiceAnswer>;

export function isServiceAnswer(answer: Answer): answer is ServiceAnswer {
  return 'result' in answer;
}

/** What arrived at the sink: who answers what, and the bytes to hand on. */
export interface SinkResult {
  readonly id: RequestId;
  /** Undefined when a v1 agent reports trouble without naming itself. */
  readonly node: NodeName | undefined;
  /** Counts up with each message of one agent; undefined from v1 agents. */
  readonly sequence: number | undefined;
  readonly payload: Buffer;
}

const RoutingFrames = message(
  'ResultFrames',
  maxSmallFrameBytes,
  Type.Object({
    uuid: RequestId,
    node: NodeName,
    sequence: Type.Integer({ minimum: 0, description: 'a count' }),
  }),
);

/** The v2 frames of a result: `[type, uuid, node, sequence, payload, mac]`. */
export function resultFrames(id: RequestId, node: NodeName, sequence: number, answer: Answer): Buffer[] {
  return [
    Buffer.from('result'),
    Buffer.from(id),
    Buffer.from(node),
    Buffer.from(String(sequence)),
    Answer.encode(answer),
    Buffer.alloc(0),
  ];
}

/**
 * Opens a sink message of either version: one frame is v1, six are v2. A v2 payload is not parsed here: the
 * manager routes on the small frames, and whoever reads the answer checks it.
 * Throws FRAME_COUNT, FRAME_TOO_LARGE, NOT_JSON, INVALID_MESSAGE or UNKNOWN_TYPE.
 */
export function openSinkMessage(frames: readonly Buffer[]): SinkResult {
  const [first, uuid, node, sequence, payload] = frames;
  if (frames.length === 1 && first !== undefined) return openV1(first);
  if (frames.length !== 6 || !first || !uuid || !node || !sequence || !payload) {
    throw new ServiceManagerError('FRAME_COUNT', `sink message of ${frames.length} frames, expected 1 or 6`);
  }
  if (first.toString() !== 'result') {
    throw new ServiceManagerError('UNKNOWN_TYPE', 'sink message of an unknown type, expected result');
  }
  return openV2(uuid, node, sequence, payload);
}

function openV1(frame: Buffer): SinkResult {
  const answer = Answer.decode(frame);
  if (!isServiceAnswer(answer)) {
    return {
      id: answer.uuid,
      node: answer.node as NodeName | undefined,
      sequence: undefined,
      payload: frame,
    };
  }
  const { result } = answer;
  const isListed = Array.isArray(result.stdout) || Array.isArray(result.stderr);
  return {
    id: answer.uuid,
    node: result.node as NodeName,
    sequence: undefined,
    payload: isListed ? Answer.encode(withTextOutput(answer)) : frame,
  };
}

function openV2(uuid: Buffer, node: Buffer, sequence: Buffer, payload: Buffer): SinkResult {
  if (uuid.byteLength + node.byteLength + sequence.byteLength > maxSmallFrameBytes) {
    throw new ServiceManagerError(
      'FRAME_TOO_LARGE',
      `ResultFrames: routing frames over ${maxSmallFrameBytes} bytes`,
    );
  }
  if (payload.byteLength > maxResultBytes) {
    throw new ServiceManagerError('FRAME_TOO_LARGE', `ResultFrames: payload over ${maxResultBytes} bytes`);
  }
  const digits = sequence.toString('latin1');
  const routing = RoutingFrames.parse({
    uuid: uuid.toString(),
    node: node.toString(),
    sequence: /^\d{1,15}$/.test(digits) ? Number(digits) : digits,
  });
  return { id: routing.uuid, node: routing.node, sequence: routing.sequence, payload };
}

/** The answer with its output as text, whichever form it came in. */
export function withTextOutput(answer: ServiceAnswer): ServiceAnswer {
  const { stdout, stderr } = answer.result;
  return { ...answer, result: { ...answer.result, stdout: asText(stdout), stderr: asText(stderr) } };
}

function asText(lines: string | string[]): string {
  if (typeof lines === 'string') return lines;
  const keepsLineEnds = lines.some((line) => line.endsWith('\n'));
  return lines.join(keepsLineEnds ? '' : '\n');
}

import { type Static, Type } from '@sinclair/typebox';
import { message } from './codec.ts';
import { isServiceManagerError } from './errors.ts';
import { type Failure, failure, failureOf, maxReplyBytes } from './reply.ts';

/** Room for the longest target and what is asked about it. */
export const maxManagementBytes = 256 * 1024;

export const ManagementRequest = message(
  'ManagementRequest',
  maxManagementBytes,
  Type.Object({
    cmd: Type.String({ maxLength: 64, description: 'a management command' }),
    /** What the command is about: a message of wire/admin.ts, or nothing. */
    args: Type.Optional(Type.Unknown()),
  }),
);

/** The 2014 form of "yes": `result` holds what was asked for. */
export const ManagementReply = message(
  'ManagementReply',
  4 * maxReplyBytes,
  Type.Object({
    success: Type.Literal(0, { description: 'the number 0' }),
    msg: Type.String({ description: 'a text' }),
    result: Type.Optional(
      Type.Record(Type.String(), Type.Unknown(), { description: 'an object with what was asked for' }),
    ),
  }),
);
export type ManagementReply = Static<typeof ManagementReply.schema>;

/**
 * The closed table of what a program answers on its management socket. A handler checks its own arguments, and throws a
 * ServiceManagerError for what it refuses.
 */
export type ManagementHandlers = Readonly<Record<string, (args: unknown) => ManagementReply>>;

export interface ManagementAnswer {
  readonly reply: ManagementReply | Failure;
  /** Set when the request was refused. */
  readonly refusal?: Failure;
}

/** Answers one management message; whatever arrives gets an answer. */
export function answerManagement(
  frames: readonly Uint8Array[],
  handlers: ManagementHandlers,
): ManagementAnswer {
  const frame = frames[0];
  if (frames.length !== 1 || frame === undefined) {
    return refuse(failure('FRAME_COUNT', `management message of ${frames.length} frames, expected 1`));
  }
  try {
    const { cmd, args } = ManagementRequest.decode(frame);
    const handler = Object.hasOwn(handlers, cmd) ? handlers[cmd] : undefined;
    if (handler !== undefined) return { reply: handler(args) };
    const known = Object.keys(handlers).join(' or ');
    return refuse(failure('UNKNOWN_COMMAND', `ManagementRequest: field cmd is "${cmd}", expected ${known}`));
  } catch (error) {
    if (!isServiceManagerError(error)) throw error;
    return refuse(failureOf(error));
  }
}

function refuse(refusal: Failure): ManagementAnswer {
  return { reply: refusal, refusal };
}

/**
 * Every way in which our own programs can be in trouble, by code. The list is closed: what travels, what is
 * logged and what a caller may test for is one of these. A failed service is a result and has no code here.
 */
export const errorCodes = {
  // what arrived at a door
  FRAME_COUNT: 'the message has the wrong number of frames',
  FRAME_TOO_LARGE: 'a frame is larger than its message may be',
  NOT_JSON: 'a frame is not UTF-8 JSON',
  INVALID_MESSAGE: 'a field is missing, of the wrong type or out of range',
  UNKNOWN_TYPE: 'the message type is not known',
  UNKNOWN_COMMAND: 'the management command is not known',
  BODY_MISMATCH: 'the signed body and the request around it do not say the same',
  // who sent it
  UNAUTHENTICATED: 'the message has no good proof of who sent it',
  NOT_PERMITTED: 'who sent it is known, but may not send this',
  POLICY_DENIED: 'a rule of the policy refuses it, or none allows it',
  NOT_MEANT: 'the target that was signed does not include this node',
  REPLAYED: 'the message was taken before',
  BAD_TOKEN: 'the join token is unknown, past, used up, or for another role or name',
  NAME_TAKEN: 'another key has this name',
  KEY_REFUSED: 'the key was rejected or revoked, or somebody else has it',
  UNKNOWN_KEY: 'no key or token is known by this',
  // what was asked for
  ACTION_NOT_ALLOWED: 'the action or the health check is none that this agent knows',
  TOPIC_AMBIGUOUS:
    'a v1 agent on a shorter topic would receive the request too, so it is not sent to v1 agents',
  REQUEST_EXPIRED: 'the request arrived after the time until which it is good',
  TOO_BUSY: 'too many requests are waiting; try again later',
  NAME_CONFLICT: 'two agents use the name of this node at the same time, so neither is served',
  CANCELLED: 'the request was cancelled',
  JOURNAL_UNAVAILABLE: 'the agent cannot write its journal, so it refuses what changes a service',
  UNKNOWN_NODE: 'no node or topic of this name is known',
  BAD_TARGET: 'the target is not a good expression',
  NO_NODE: 'the target reaches no node',
  EXPECTATION_FAILED: 'the request is aimed at another number of nodes than was expected',
  PLAN_CHANGED: 'the request is aimed at other nodes than when it was planned',
  UNKNOWN_REQUEST: 'no request of this id is known',
  SHUTTING_DOWN: 'the program is stopping and takes no new work',
  // what happened at the work
  PROVIDER_FAILED: 'the service manager of the host could not be started',
  INTERRUPTED: 'the agent stopped while the action was running',
  // between the programs
  MANAGER_UNREACHABLE: 'no manager answered',
  REFUSED: 'the manager refused the request',
  INVALID_REPLY: 'a manager answered with something that is no reply',
  // this host
  BAD_CONFIG: 'the configuration is not usable',
  BAD_USAGE: 'the command line is not usable',
  STORE_UNUSABLE: 'the database in the state folder cannot be used',
  ALREADY_RUNNING: 'another instance of the program is running',
  ENDPOINT_UNUSABLE: 'a socket could not be bound or connected',
  BAD_KEY: 'a key is of the wrong form, or agrees on no secret',
} as const;

export type ErrorCode = keyof typeof errorCodes;

export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(errorCodes, value);
}

/** The one error class of the project. `message` is for people, `code` is for programs, `cause` is kept. */
export class ServiceManagerError extends Error {
  override readonly name = 'ServiceManagerError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export function isServiceManagerError(error: unknown): error is ServiceManagerError {
  return error instanceof ServiceManagerError;
}

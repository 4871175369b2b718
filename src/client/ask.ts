import type { Clock } from '../platform/clock.ts';
import { handshakeFailures } from '../platform/socket-security.ts';
import type { Message } from '../wire/codec.ts';
import { isErrorCode, ServiceManagerError } from '../wire/errors.ts';
import type { RequestId } from '../wire/fields.ts';
import { Failure } from '../wire/reply.ts';
import type { Connections } from './connections.ts';
import type { Identity } from './identity.ts';

export interface AskOptions {
  /** Frontends of the managers, in order of preference. */
  readonly endpoints: readonly string[];
  /** How long one try waits for its reply. */
  readonly timeoutMs: number;
  /** Tries per endpoint; 0 is one try too. */
  readonly retries: number;
  /** Ends the wait for the reply to a question (not to a request, which has its own) when aborted. */
  readonly signal?: AbortSignal | undefined;
}

export interface AskDeps {
  readonly connections: Connections;
  readonly clock: Clock;
  readonly newId: () => RequestId;
  /** Who asks; undefined without security. */
  readonly identity: Identity | undefined;
  /** Without `identity`: what whoever asks may have missed. A manager with security answers no stranger. */
  readonly missingIdentity?: string | undefined;
}

export interface Question<Reply> {
  /** Made for each try: a question that is signed twice is no copy, which a manager would refuse. */
  readonly frame: () => Buffer;
  readonly reply: Pick<Message<never>, 'name'> & { tryDecode(frame: Uint8Array): Reply | undefined };
  /** Of the clock's `now`. */
  readonly deadlineMs: number;
  /** Gives up at once when aborted. */
  readonly signal: AbortSignal | undefined;
}

export interface Replied<Reply> {
  readonly endpoint: string;
  readonly reply: Reply;
}

// Another manager may say otherwise.
const passingRefusals: ReadonlySet<string | undefined> = new Set([
  'TOO_BUSY',
  'SHUTTING_DOWN',
  'STORE_UNUSABLE',
  'UNKNOWN_REQUEST',
]);

/**
 * Goes down the endpoints, and round again for each retry, until a manager replies. A request carries its own id, so
 * asking twice runs nothing twice. Rejects with the code of the manager's refusal (REFUSED where it gave none),
 * INVALID_REPLY, or MANAGER_UNREACHABLE at the latest at the deadline.
 */
export async function ask<Reply>(
  question: Question<Reply>,
  options: AskOptions,
  deps: AskDeps,
): Promise<Replied<Reply>> {
  let lastRefusal: ServiceManagerError | undefined;
  const endpoints = deps.connections.inOrder(options.endpoints);
  for (let round = 0; round < Math.max(1, options.retries); round += 1) {
    for (const endpoint of endpoints) {
      const waitMs = Math.min(options.timeoutMs, question.deadlineMs - deps.clock.now());
      if (waitMs <= 0 || question.signal?.aborted) break;
      // Asking again would not make it know us.
      if (deps.connections.failureOf(endpoint) === 'refused' && round > 0) continue;
      const frame = await deps.connections.exchange(endpoint, question.frame(), waitMs, question.signal);
      if (frame === undefined) continue;
      const refusal = refusalOf(endpoint, frame);
      if (refusal === undefined) return { endpoint, reply: opened(endpoint, frame, question) };
      if (!passingRefusals.has(refusal.code)) throw refusal;
      lastRefusal = refusal;
    }
  }
  throw lastRefusal ?? unanswered(options.endpoints, deps);
}

/** Whom nobody lets in, is told so: he would wait for ever. */
function unanswered(
  endpoints: readonly string[],
  { connections, identity, missingIdentity }: AskDeps,
): ServiceManagerError {
  const failures = endpoints.flatMap((endpoint) => {
    const failure = connections.failureOf(endpoint);
    return failure === undefined ? [] : [`${endpoint}: ${handshakeFailures[failure]}`];
  });
  const refuser = endpoints.find((endpoint) => connections.failureOf(endpoint) === 'refused');
  if (refuser !== undefined)
    return new ServiceManagerError(
      'UNAUTHENTICATED',
      `${refuser} does not let ${identity?.name ?? 'us'} in: ${handshakeFailures.refused}`,
    );
  const missed = missingIdentity === undefined ? [] : [missingIdentity];
  const said = [`no manager answered at ${endpoints.join(', ')}`, ...failures, ...missed];
  return new ServiceManagerError('MANAGER_UNREACHABLE', said.join('; '));
}

function refusalOf(endpoint: string, frame: Buffer): ServiceManagerError | undefined {
  const refusal = Failure.tryDecode(frame);
  if (refusal === undefined) return undefined;
  const code = isErrorCode(refusal.code) ? refusal.code : 'REFUSED';
  const { msg } = refusal;
  // What points at a place in the line above it must stay below that place.
  const text = msg.includes('\n')
    ? `${endpoint} refused (${code}):\n${msg}`
    : `${endpoint} refused: ${msg} (${code})`;
  return new ServiceManagerError(code, text);
}

function opened<Reply>(endpoint: string, frame: Buffer, { reply }: Question<Reply>): Reply {
  const value = reply.tryDecode(frame);
  if (value !== undefined) return value;
  throw new ServiceManagerError('INVALID_REPLY', `${endpoint} sent something that is no ${reply.name}`);
}

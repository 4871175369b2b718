import type { Clock } from '../platform/clock.ts';
import type { Sockets } from '../platform/sockets.ts';
import { ServiceManagerError } from '../wire/errors.ts';
import { Accepted, Failure } from '../wire/reply.ts';
import { closeAfter } from './close-after.ts';

export interface AskOptions {
  /** Frontends of the managers, in order of preference. */
  readonly endpoints: readonly string[];
  /** How long one try waits for its reply. */
  readonly timeoutMs: number;
  /** Tries per endpoint; 0 is one try too. */
  readonly retries: number;
  /** Gives up at once when aborted. */
  readonly signal?: AbortSignal;
}

export interface AskDeps {
  readonly sockets: Sockets;
  readonly clock: Clock;
}

/** A manager took the request. */
export interface Taken {
  readonly endpoint: string;
  readonly accepted: Accepted;
}

// A manager that says this may be followed by one that doesn't.
const passingRefusals: ReadonlySet<string | undefined> = new Set(['TOO_BUSY', 'SHUTTING_DOWN']);

/**
 * Goes down the endpoints, and round again for each retry, until a manager replies. The request carries its own id, so
 * asking twice runs nothing twice. Rejects with REFUSED, INVALID_REPLY, or MANAGER_UNREACHABLE at the latest at
 * `deadlineMs` (of the clock's `now`).
 */
export async function ask(
  request: Buffer,
  deadlineMs: number,
  options: AskOptions,
  deps: AskDeps,
): Promise<Taken> {
  let lastRefusal: ServiceManagerError | undefined;
  for (let round = 0; round < Math.max(1, options.retries); round += 1) {
    for (const endpoint of options.endpoints) {
      const waitMs = Math.min(options.timeoutMs, deadlineMs - deps.clock.now());
      if (waitMs <= 0 || options.signal?.aborted) break;
      const reply = await exchange(endpoint, request, waitMs, options.signal, deps);
      if (reply === undefined) continue;
      const opened = openReply(endpoint, reply);
      if (!(opened instanceof ServiceManagerError)) return { endpoint, accepted: opened };
      lastRefusal = opened;
    }
  }
  if (lastRefusal !== undefined) throw lastRefusal;
  const managers = options.endpoints.join(', ');
  throw new ServiceManagerError('MANAGER_UNREACHABLE', `no manager answered at ${managers}`);
}

/** Sends one message as a REQ does. Resolves with the reply frame, or undefined when none came in time. */
export async function exchange(
  endpoint: string,
  request: Buffer,
  waitMs: number,
  signal: AbortSignal | undefined,
  deps: AskDeps,
): Promise<Buffer | undefined> {
  const socket = deps.sockets.connectDealer(endpoint);
  const release = closeAfter(socket, waitMs, signal, deps.clock);
  try {
    // What a REQ puts on the wire: an empty frame, then the request.
    socket.send([Buffer.alloc(0), request]);
    for await (const frames of socket) return frames[1] ?? Buffer.alloc(0);
    return undefined;
  } finally {
    release();
    await socket.close();
  }
}

/** The acceptance, or a refusal that another manager may not share. Throws REFUSED for one that they all would. */
function openReply(endpoint: string, frame: Buffer): Accepted | ServiceManagerError {
  const refusal = Failure.tryDecode(frame);
  if (refusal === undefined) return readAccepted(endpoint, frame);
  const code = refusal.code === undefined ? '' : ` (${refusal.code})`;
  const error = new ServiceManagerError('REFUSED', `${endpoint} refused: ${refusal.msg}${code}`);
  if (passingRefusals.has(refusal.code)) return error;
  throw error;
}

function readAccepted(endpoint: string, frame: Buffer): Accepted {
  const accepted = Accepted.tryDecode(frame);
  if (accepted !== undefined) return accepted;
  throw new ServiceManagerError('INVALID_REPLY', `${endpoint} sent no valid reply`);
}

import type { Requests } from '../core/requests.ts';
import type { Reach, Subscriptions } from '../core/subscriptions.ts';
import { isServiceManagerError, ServiceManagerError } from '../wire/errors.ts';
import type { RequestId } from '../wire/fields.ts';
import { type Accepted, type Failure, failure, failureOf } from '../wire/reply.ts';
import { type CheckedRequest, openRequest } from '../wire/request.ts';

export interface FrontendDeps {
  readonly requests: Requests;
  readonly subscriptions: Subscriptions;
  readonly newId: () => RequestId;
  /** The publisher's port, told to every client. */
  readonly port: () => number;
}

/** What to do about one frontend message. Every message gets its reply. */
export type Verdict = { readonly replyFrames: Buffer[] } & (
  | { readonly kind: 'new'; readonly request: CheckedRequest; readonly reach: Reach }
  /** The same id again: it is told the same and nothing runs twice. */
  | { readonly kind: 'repeated' }
  /** A good message that is not served now. */
  | { readonly kind: 'refused'; readonly request: CheckedRequest; readonly refusal: Failure }
  /** Turned away at the door. */
  | { readonly kind: 'rejected'; readonly peer: string; readonly error: ServiceManagerError }
);

/** The door for clients. */
export class Frontend {
  readonly #deps: FrontendDeps;

  constructor(deps: FrontendDeps) {
    this.#deps = deps;
  }

  /** Takes `[peer, empty, request]`, the frames that a ROUTER receives from a REQ. */
  receive(frames: readonly Buffer[]): Verdict {
    const [peer = Buffer.alloc(0), delimiter, bytes] = frames;
    const replyFrames = (reply: Accepted | Failure) => [
      peer,
      Buffer.alloc(0),
      Buffer.from(JSON.stringify(reply)),
    ];
    try {
      if (frames.length !== 3 || delimiter?.byteLength !== 0 || bytes === undefined) {
        const count = Math.max(0, frames.length - 1);
        throw new ServiceManagerError(
          'FRAME_COUNT',
          `request of ${count} frames, expected an empty one and a JSON object`,
        );
      }
      return this.#decide(openRequest(bytes, this.#deps.newId), replyFrames);
    } catch (error) {
      if (!isServiceManagerError(error)) throw error;
      return {
        kind: 'rejected',
        peer: peer.toString('hex'),
        error,
        replyFrames: replyFrames(failureOf(error)),
      };
    }
  }

  #decide(request: CheckedRequest, replyFrames: (reply: Accepted | Failure) => Buffer[]): Verdict {
    const { id, topic } = request.body;
    const known = this.#deps.requests.get(id);
    if (known !== undefined) return { kind: 'repeated', replyFrames: replyFrames(this.#accepted(id, known)) };
    const reach = this.#deps.subscriptions.reach(topic);
    const refusal = this.#refusal(topic, reach);
    if (refusal !== undefined)
      return { kind: 'refused', request, refusal, replyFrames: replyFrames(refusal) };
    const expected = reach.v1 + reach.v2;
    const reply = this.#accepted(id, { expected, withheld: reach.withheld });
    return { kind: 'new', request, reach, replyFrames: replyFrames(reply) };
  }

  #refusal(topic: string, reach: Reach): Failure | undefined {
    if (this.#deps.requests.isFull) {
      return failure(
        'TOO_BUSY',
        `${this.#deps.requests.openCount} requests are open already; try again later`,
      );
    }
    if (reach.withheld === 0 || reach.v2 > 0) return undefined;
    const why = 'and so does an agent on a shorter topic, which would act on the request too';
    return failure('TOPIC_AMBIGUOUS', `topic "${topic}": its ${reach.withheld} agents speak v1, ${why}`);
  }

  #accepted(uuid: RequestId, { expected, withheld }: { expected: number; withheld: number }): Accepted {
    return { uuid, port: this.#deps.port(), v: 2, expected, withheld };
  }
}

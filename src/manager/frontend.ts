import { isServiceManagerError, ServiceManagerError } from '../wire/errors.ts';
import type { RequestId } from '../wire/fields.ts';
import { type CheckedQuery, isMeantAsQuery, openQuery } from '../wire/query.ts';
import { type CheckedRequest, openRequest } from '../wire/request.ts';

/** What came through the door for clients, and to whom the reply goes. */
export type FrontendMessage = { readonly peer: Buffer } & (
  | { readonly kind: 'request'; readonly request: CheckedRequest }
  | { readonly kind: 'query'; readonly query: CheckedQuery }
  | { readonly kind: 'rejected'; readonly error: ServiceManagerError }
);

/** Opens `[peer, empty, JSON]`, the frames that a ROUTER receives from a REQ. Never throws for what a peer sent. */
export function openFrontendMessage(frames: readonly Buffer[], newId: () => RequestId): FrontendMessage {
  const [peer = Buffer.alloc(0), delimiter, bytes] = frames;
  try {
    if (frames.length !== 3 || delimiter?.byteLength !== 0 || bytes === undefined) {
      const count = Math.max(0, frames.length - 1);
      throw new ServiceManagerError(
        'FRAME_COUNT',
        `request of ${count} frames, expected an empty one and a JSON object`,
      );
    }
    if (isMeantAsQuery(bytes)) return { kind: 'query', peer, query: openQuery(bytes) };
    return { kind: 'request', peer, request: openRequest(bytes, newId) };
  } catch (error) {
    if (!isServiceManagerError(error)) throw error;
    return { kind: 'rejected', peer, error };
  }
}

export function replyFrames(peer: Buffer, reply: object): Buffer[] {
  return [peer, Buffer.alloc(0), Buffer.from(JSON.stringify(reply))];
}

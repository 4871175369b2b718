import type { Reach } from '../core/subscriptions.ts';
import type { Socket } from '../platform/sockets.ts';
import { dispatchFramesV1, dispatchFramesV2 } from '../wire/dispatch.ts';
import type { CheckedRequest } from '../wire/request.ts';

/** Sends a request to the agents on its topic, in each form that somebody subscribes to. */
export function dispatch(
  backend: Socket,
  { body, bodyBytes, signature }: CheckedRequest,
  reach: Reach,
): void {
  if (reach.v2 > 0) backend.send(dispatchFramesV2(body.topic, body.id, bodyBytes, signature));
  if (reach.v1 > 0) backend.send(dispatchFramesV1(body));
}

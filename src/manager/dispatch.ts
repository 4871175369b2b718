import type { Reach } from '../core/subscriptions.ts';
import type { Socket } from '../platform/sockets.ts';
import {
  controlFrames,
  type Dispatch,
  dispatchFramesV1,
  dispatchFramesV2,
  type SealedRequest,
} from '../wire/dispatch.ts';
import type { NodeName } from '../wire/fields.ts';
import type { RequestBody } from '../wire/request.ts';
import { addressFrame, everyAgent, topicFrame } from '../wire/topic.ts';

/** A request as it goes to the agents. */
export interface Dispatchable {
  readonly body: RequestBody;
  readonly bodyBytes: Buffer;
  readonly signature: string;
}

export type Control = Exclude<Dispatch, { type: 'request' }>;

/** Speaks to the agents. */
export class Dispatcher {
  readonly #backend: Socket;

  constructor(backend: Socket) {
    this.#backend = backend;
  }

  /** To all agents on its topic, in each form that somebody subscribes to; or to the nodes that it names. */
  request(request: Dispatchable, reach: Reach): void {
    const { body } = request;
    if (body.nodes !== undefined) {
      for (const node of body.nodes) this.requestAgain(request, node);
      return;
    }
    if (reach.v2 > 0) {
      this.#backend.send(dispatchFramesV2(topicFrame(body.topic, 'v2'), sealed(request)));
    }
    if (reach.v1 > 0) this.#backend.send(dispatchFramesV1(body));
  }

  /** To one node, by its name. */
  requestAgain(request: Dispatchable, node: NodeName): void {
    this.#backend.send(dispatchFramesV2(addressFrame(node), sealed(request)));
  }

  control(node: NodeName, control: Control): void {
    this.#backend.send(controlFrames(addressFrame(node), control));
  }

  pulse(): void {
    this.#backend.send(controlFrames(addressFrame(everyAgent), { type: 'pulse' }));
  }
}

function sealed({ body, bodyBytes, signature }: Dispatchable): SealedRequest {
  return { id: body.id, bodyBytes, signature };
}

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
import type { AimedAt } from './aimed-at.ts';

/** A request as it goes to the agents. */
export interface Dispatchable {
  readonly body: RequestBody;
  readonly bodyBytes: Buffer;
  readonly signature: string;
}

/** Whom a request is sent to. */
export type Audience = Pick<AimedAt, 'members' | 'reach' | 'topic' | 'isByName' | 'denials'>;

export type Control = Exclude<Dispatch, { type: 'request' }>;

/** Speaks to the agents. */
export class Dispatcher {
  readonly #backend: Socket;

  constructor(backend: Socket) {
    this.#backend = backend;
  }

  /** To all agents on its topic, in each form that somebody subscribes to; or to each node by its name. */
  request(request: Dispatchable, { members, reach, topic, isByName, denials }: Audience): void {
    if (isByName) for (const { node } of members) if (!denials.has(node)) this.ask(request, node);
    if (topic === undefined) return;
    if (!isByName && reach.v2 > 0) {
      this.#backend.send(dispatchFramesV2(topicFrame(topic, 'v2'), sealed(request)));
    }
    if (reach.v1 > 0) this.#backend.send(dispatchFramesV1({ ...request.body, topic }));
  }

  /** To one node, by its name. It does not begin later than `notAfterMs`, in milliseconds since 1970. */
  ask(request: Dispatchable, node: NodeName, notAfterMs?: number): void {
    this.#backend.send(dispatchFramesV2(addressFrame(node), { ...sealed(request), notAfterMs }));
  }

  control(node: NodeName, control: Control): void {
    this.#backend.send(controlFrames(addressFrame(node), control));
  }

  /** `nextKey`: the key that the manager is going to have instead of its own. */
  pulse(nextKey: string | undefined): void {
    this.#backend.send(controlFrames(addressFrame(everyAgent), { type: 'pulse', nextKey }));
  }
}

function sealed({ body, bodyBytes, signature }: Dispatchable): SealedRequest {
  return { id: body.id, bodyBytes, signature };
}

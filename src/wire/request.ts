import { type Static, Type } from '@sinclair/typebox';
import { message } from './codec.ts';
import { ServiceManagerError } from './errors.ts';
import {
  ActionName,
  NodeName,
  oneOf,
  RequestId,
  readOnlyActions,
  ServiceName,
  Target,
  wallMs,
} from './fields.ts';

/** The largest body: text that becomes a JSON string in the frontend frame, and grows by its escapes there. */
export const maxBodyBytes = 400 * 1024;
export const maxRequestBytes = 1024 * 1024;
export const maxSignatureLength = 1_024;

const timeoutMs = Type.Integer({
  minimum: 1,
  maximum: 86_400_000,
  description: 'milliseconds from 1 to 86400000',
});

/** Fingerprint of an action, a service and the names of all nodes that it is aimed at. */
export const PlanToken = Type.String({
  pattern: '^[0-9a-f]{16}$',
  description: '16 lower-case hex characters',
});

export const HealthCheck = Type.String({
  pattern: '^(?:tcp:[0-9]{1,5}|http:[0-9]{1,5}/[!-~]{0,1024}|exec:[A-Za-z0-9][A-Za-z0-9_-]{0,63})$',
  description: 'tcp:PORT, http:PORT/PATH or exec:NAME',
});

/** So many, or so many of a hundred. `core/quantity.ts` says how it is rounded. */
export const Quantity = Type.String({
  pattern: '^(?:[0-9]{1,7}|(?:[0-9]{1,2}|100)%)$',
  description: 'a number or a percentage such as 25%',
});
const count = Type.Integer({ minimum: 0, maximum: 1_000_000, description: 'a number up to 1000000' });
const pauseMs = Type.Integer({ minimum: 0, maximum: 86_400_000, description: 'milliseconds up to 86400000' });

/** In which order the nodes of a rollout have their turn. `roster`: those that the manager has known longest first. */
export const rolloutOrders = ['name', 'random', 'roster'] as const;

/** Run the request in batches, one after the other, and stop when too much goes wrong. */
export const Rollout = Type.Object({
  /** Nodes in one batch. */
  batch: Quantity,
  /** Nodes in a first batch of its own; it must go well everywhere. */
  canary: Type.Optional(count),
  /** Between two batches. */
  pauseMs: Type.Optional(pauseMs),
  /** More failed nodes than this stop it; 0 when missing. */
  maxFail: Type.Optional(Quantity),
  /**
   * More nodes than this that are not there or do not answer stop it. When missing: 0, but nodes that were lost already
   * when it began do not count.
   */
  maxUnreachable: Type.Optional(Quantity),
  order: Type.Optional(oneOf(rolloutOrders)),
});
export type Rollout = Static<typeof Rollout>;

/** v2: what the client means, as text that is passed on byte for byte: that is what was signed. */
export const RequestBody = message(
  'RequestBody',
  maxBodyBytes,
  Type.Object({
    id: RequestId,
    cmd: ActionName,
    topic: Target,
    service: ServiceName,
    /** Time limit of the action on each node; the agent's own limit applies where it is shorter. */
    timeoutMs: Type.Optional(timeoutMs),
    /** How long the client listens for answers. */
    windowMs: Type.Optional(timeoutMs),
    /** Milliseconds since 1970, by the clock of the client: an agent does not begin with it later. */
    notAfterMs: Type.Optional(wallMs),
    /** When it was made, by the same clock: says how far that clock is from others. */
    sentAtMs: Type.Optional(wallMs),
    /** Aims at these nodes only, by name, instead of all that the topic reaches. */
    nodes: Type.Optional(
      Type.Array(NodeName, { minItems: 1, maxItems: 10_000, description: 'a list of 1 to 10000 node names' }),
    ),
    /** Nodes in this target are left out. */
    exclude: Type.Optional(Target),
    /** Of what is left, only so many, chosen by `seed`. */
    limit: Type.Optional(Quantity),
    seed: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 2 ** 32 - 1, description: 'a number up to 4294967295' }),
    ),
    /** Refuse it when it is aimed at another number of nodes. */
    expect: Type.Optional(count),
    /** Refuse it when it is aimed at other nodes than at the time of this plan. */
    plan: Type.Optional(PlanToken),
    rollout: Type.Optional(Rollout),
    /** How long the service must stay what the action made it; 0: don't look. */
    settleMs: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 3_600_000, description: 'milliseconds up to 3600000' }),
    ),
    /** Send what the action prints as it comes, beside the answer. */
    follow: Type.Optional(Type.Boolean({ description: 'true or false' })),
    /** A check that must go well on the node after the action. */
    health: Type.Optional(HealthCheck),
  }),
);
export type RequestBody = Static<typeof RequestBody.schema>;

/** Doing it twice harms nobody: it only reads, and nothing of the host is run besides to check what it has read. */
export function isRepeatable({ cmd, health }: Pick<RequestBody, 'cmd' | 'health'>): boolean {
  return readOnlyActions.has(cmd) && health === undefined;
}

/** security/signature.ts says what it is made of. */
export const SignatureField = Type.String({
  maxLength: maxSignatureLength,
  description: `a text of at most ${maxSignatureLength} characters`,
});

/**
 * One JSON frame on the frontend: a good v1 request as it stands, so that a v1 manager serves a v2 client.
 * `v`, `body` and `signature` are the v2 part.
 */
export const FrontendRequest = message(
  'FrontendRequest',
  maxRequestBytes,
  Type.Object({
    cmd: ActionName,
    topic: Target,
    service: ServiceName,
    v: Type.Optional(Type.Literal(2, { description: 'the number 2' })),
    body: Type.Optional(Type.String({ description: 'a RequestBody as JSON text' })),
    signature: Type.Optional(SignatureField),
  }),
);
export type FrontendRequest = Static<typeof FrontendRequest.schema>;

/** A request that passed the door: what it means, and the bytes that say so to v2 agents. */
export interface CheckedRequest {
  readonly version: 'v1' | 'v2';
  readonly body: RequestBody;
  readonly bodyBytes: Buffer;
  readonly signature: string;
}

/**
 * Opens a frontend frame. A v1 request gets `newId`; a v2 request carries its own.
 * Throws FRAME_TOO_LARGE, NOT_JSON, INVALID_MESSAGE or BODY_MISMATCH.
 */
export function openRequest(frame: Uint8Array, newId: () => RequestId): CheckedRequest {
  const request = FrontendRequest.decode(frame);
  if (request.v === undefined) {
    const body = { id: newId(), cmd: request.cmd, topic: request.topic, service: request.service };
    return { version: 'v1', body, bodyBytes: RequestBody.encode(body), signature: '' };
  }
  if (request.body === undefined) {
    throw new ServiceManagerError(
      'INVALID_MESSAGE',
      'FrontendRequest: field body is missing, expected with v 2',
    );
  }
  const bodyBytes = Buffer.from(request.body);
  const body = RequestBody.decode(bodyBytes);
  for (const field of ['cmd', 'topic', 'service'] as const) {
    if (body[field] !== request[field]) {
      throw new ServiceManagerError(
        'BODY_MISMATCH',
        `FrontendRequest: field ${field} is "${request[field]}", but the body says "${body[field]}"`,
      );
    }
  }
  return { version: 'v2', body, bodyBytes, signature: request.signature ?? '' };
}

/** The frame a v2 client sends. `sign` makes the signature of the bytes of the body; without security it is empty. */
export function sealRequest(body: RequestBody, sign: (bytes: Buffer) => string = () => ''): Buffer {
  const text = JSON.stringify(body);
  const { cmd, topic, service } = body;
  return FrontendRequest.encode({
    cmd,
    topic,
    service,
    v: 2,
    body: text,
    signature: sign(Buffer.from(text)),
  });
}

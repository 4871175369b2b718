import { type Static, Type } from '@sinclair/typebox';
import { message } from './codec.ts';
import { ActionName, joinRoles, NodeName, oneOf, ServiceName, Target, TokenId } from './fields.ts';
import { maxManagementBytes } from './management.ts';

// What the management commands of service-mgrd that are about keys take and give. Each is the `args` of a
// ManagementRequest, or the `result` of its reply.

const wallMs = Type.Number({ description: 'milliseconds since 1970' });
const count = Type.Integer({ minimum: 0, description: 'a count' });
const text = Type.String({ description: 'a text' });

/** `manager.keys.accept`, `.reject`, `.revoke` and `.remove`: which key. */
export const KeyOrder = message(
  'KeyOrder',
  1_024,
  Type.Object({
    /** All of it or a beginning, as `findFingerprint` of security/fingerprint.ts reads it. */
    fingerprint: Type.String({ maxLength: 64, description: 'a fingerprint' }),
  }),
);

/**
 * `pending`: somebody has to decide. `accepted`: it may come in. `retiring`: it may, until its successor has taken over.
 * `rejected`: it was refused. `revoked`: it may not come in any more, and nobody else may have its name.
 */
export const keyStates = ['pending', 'accepted', 'retiring', 'rejected', 'revoked'] as const;
export type KeyState = (typeof keyStates)[number];

/** A key as `manager.keys.list` shows it. */
export const KeyInfo = Type.Object({
  fingerprint: text,
  role: oneOf(joinRoles),
  name: text,
  state: oneOf(keyStates),
  /** Where it was last heard from, if that is known. */
  address: Type.Optional(text),
  /** How it came in: `token 0123456789abcdef`, `accepted`, `rotation`. */
  by: Type.Optional(text),
  sinceMs: wallMs,
  decidedMs: Type.Optional(wallMs),
  /** When it is forgotten (pending) or no longer good (retiring). */
  untilMs: Type.Optional(wallMs),
  /** How often another key asked for its name and was refused: a cloned machine, most likely. */
  refusedOthers: count,
});
export type KeyInfo = Static<typeof KeyInfo>;

export const KeyList = message('KeyList', 16 * 1024 * 1024, Type.Object({ keys: Type.Array(KeyInfo) }));
export type KeyList = Static<typeof KeyList.schema>;

/** `manager.tokens.create` */
export const TokenOrder = message(
  'TokenOrder',
  1_024,
  Type.Object({
    role: oneOf(joinRoles),
    /** The only name it is good for. */
    name: Type.Optional(NodeName),
    ttlMs: Type.Integer({
      minimum: 1_000,
      maximum: 31 * 86_400_000,
      description: 'milliseconds from 1000 to 2678400000',
    }),
    uses: Type.Integer({ minimum: 1, maximum: 100_000, description: 'a number from 1 to 100000' }),
  }),
);
export type TokenOrder = Static<typeof TokenOrder.schema>;

/** `manager.tokens.remove` */
export const TokenName = message('TokenName', 1_024, Type.Object({ id: TokenId }));

/** A token without its secret. */
export const TokenInfo = Type.Object({
  id: text,
  role: oneOf(joinRoles),
  name: Type.Optional(text),
  expiresMs: wallMs,
  usesLeft: count,
});
export type TokenInfo = Static<typeof TokenInfo>;

/** The one time at which the token itself is told. */
export const CreatedToken = message('CreatedToken', 4_096, Type.Object({ token: text, info: TokenInfo }));
export const TokenList = message(
  'TokenList',
  4 * 1024 * 1024,
  Type.Object({ tokens: Type.Array(TokenInfo) }),
);

/** `manager.policy.test`: what the policy says of this, node by node. */
export const PolicyQuestion = message(
  'PolicyQuestion',
  maxManagementBytes,
  Type.Object({
    role: oneOf(['operator', 'monitor']),
    name: NodeName,
    action: ActionName,
    service: ServiceName,
    target: Target,
  }),
);
export type PolicyQuestion = Static<typeof PolicyQuestion.schema>;

export const PolicyVerdict = message(
  'PolicyVerdict',
  16 * 1024 * 1024,
  Type.Object({
    /** Nodes of which the same is said. */
    groups: Type.Array(
      Type.Object({
        nodes: Type.Array(text),
        isAllowed: Type.Boolean({ description: 'true or false' }),
        /** The rule that decides, and below it the others that are about this. */
        explanation: text,
      }),
    ),
  }),
);
export type PolicyVerdict = Static<typeof PolicyVerdict.schema>;

/** `manager.keys.rotate`: begin with a new key of the manager, and use it alone after this time. */
export const RotationOrder = message(
  'RotationOrder',
  1_024,
  Type.Object({
    overlapMs: Type.Integer({
      minimum: 0,
      maximum: 366 * 86_400_000,
      description: 'milliseconds up to 31622400000',
    }),
  }),
);

export const RotationInfo = message(
  'RotationInfo',
  4_096,
  Type.Object({ fingerprint: text, nextFingerprint: text, switchesMs: wallMs }),
);

/** `manager.audit.head` and `agent.audit.head` */
export const AuditHeadInfo = message('AuditHeadInfo', 1_024, Type.Object({ sequence: count, hash: text }));

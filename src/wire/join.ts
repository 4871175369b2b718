import { type Static, Type } from '@sinclair/typebox';
import { message } from './codec.ts';
import {
  CurveKeyText,
  FingerprintText,
  joinRoles,
  MacText,
  NodeName,
  oneOf,
  SignatureText,
  SignKeyText,
  TokenId,
  wallMs,
} from './fields.ts';

/**
 * On the join socket: somebody whose key the manager does not know wants to be let in, or wants a new key in the place
 * of its own. security/join-proof.ts says what each proof is made of.
 */
export const JoinRequest = message(
  'JoinRequest',
  16 * 1024,
  Type.Object({
    v: Type.Literal(2, { description: 'the number 2' }),
    role: oneOf(joinRoles),
    /** Of the node, of the person, or of the program that watches. */
    name: NodeName,
    curve: CurveKeyText,
    /** Operators and monitors sign. */
    sign: Type.Optional(SignKeyText),
    sentAtMs: wallMs,
    /** Made with the secret half of `curve`: nobody joins with the key of somebody else. */
    mac: MacText,
    /** Made with the secret half of `sign`. */
    signature: Type.Optional(SignatureText),
    /** Without a token somebody at the manager decides. */
    token: Type.Optional(TokenId),
    tokenProof: Type.Optional(SignatureText),
    /** The key that this one takes the place of. */
    replaces: Type.Optional(FingerprintText),
    /** Made with the secret half of that one: its MAC, or of those who sign its signature. */
    replaceProof: Type.Optional(
      Type.Union([MacText, SignatureText], { description: 'a MAC or a signature' }),
    ),
  }),
);
export type JoinRequest = Static<typeof JoinRequest.schema>;

const port = Type.Integer({ minimum: 0, maximum: 65_535, description: 'a port, or 0 where there is none' });

/** Where the manager can be reached, on the host of the join socket. */
export const ManagerPorts = Type.Object({ frontend: port, backend: port, sink: port, publisher: port });
export type ManagerPorts = Static<typeof ManagerPorts>;

export const JoinReply = message(
  'JoinReply',
  16 * 1024,
  Type.Object({
    success: Type.Literal(0),
    /** `pending`: somebody at the manager has to accept it. Ask again with the same key. */
    state: oneOf(['accepted', 'pending']),
    /** Of the keys that were joined with. */
    fingerprint: FingerprintText,
    /** What the manager calls itself. */
    manager: NodeName,
    ports: ManagerPorts,
    /** The key that the manager is going to have instead of its own. */
    nextKey: Type.Optional(CurveKeyText),
  }),
);
export type JoinReply = Static<typeof JoinReply.schema>;

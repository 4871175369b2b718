import { Type } from '@sinclair/typebox';

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** 32 lower-case hex characters: a UUID without its dashes. Version 7 when we make it, so ids sort by time. */
export type RequestId = Branded<'RequestId'>;
/** A host name, or what `node_name =` puts in its place. */
export type NodeName = Branded<'NodeName'>;
/** Matched whole, never as a prefix. */
export type Topic = Branded<'Topic'>;
/** Safe as one argument of a program: cannot be a path, an option or empty. */
export type ServiceName = Branded<'ServiceName'>;
/** The shape of an action; which actions an agent runs is its closed list, `actions` plus its config. */
export type ActionName = Branded<'ActionName'>;

export const RequestId = Type.Unsafe<RequestId>(
  Type.String({ pattern: '^[0-9a-f]{32}$', description: '32 lower-case hex characters' }),
);
export const NodeName = Type.Unsafe<NodeName>(
  Type.String({
    pattern: '^[A-Za-z0-9_]([A-Za-z0-9_.-]{0,253}[A-Za-z0-9_])?$',
    description: 'a host name of 1 to 255 letters, digits, dots, dashes and underscores',
  }),
);
/** As an answer names its node: v1 agents may have names that v2 agents may not. */
export const AnsweringNode = Type.Unsafe<NodeName>(
  Type.String({ minLength: 1, maxLength: 255, description: 'a node name of 1 to 255 characters' }),
);
export const Topic = Type.Unsafe<Topic>(
  Type.String({
    // Control characters are out: some of them frame a v2 topic on the wire. So are halves of characters, which are
    // all the same in UTF-8.
    pattern:
      '^(?:[^\\u0000-\\u001f\\u007f-\\u009f\\ud800-\\udfff]|[\\ud800-\\udbff][\\udc00-\\udfff]){1,255}$',
    description: 'a topic of 1 to 255 printable characters',
  }),
);
/** Whom a request is aimed at: a topic, or an expression over topics and names (`core/target.ts`). */
export const Target = Type.String({
  pattern:
    '^(?:[^\\u0000-\\u001f\\u007f-\\u009f\\ud800-\\udfff]|[\\ud800-\\udbff][\\udc00-\\udfff]){1,65536}$',
  description: 'a target of 1 to 65536 printable characters',
});
export const ServiceName = Type.Unsafe<ServiceName>(
  Type.String({
    // A leading '-' would be read by service(8) as an option; '/' and '..' would leave /etc/init.d.
    pattern: '^(?!.*\\.\\.)[A-Za-z0-9@_][A-Za-z0-9@_.:+-]{0,254}$',
    description:
      "a service name of 1 to 255 letters, digits and @_.:+- that begins with a letter, digit, @ or _ and has no '..'",
  }),
);
export const ActionName = Type.Unsafe<ActionName>(
  Type.String({ pattern: '^[a-z][a-z0-9-]{0,31}$', description: 'an action such as start, stop or status' }),
);

/** X25519, 32 bytes as Z85: as libzmq writes a CURVE key. */
export const CurveKeyText = Type.String({
  pattern: '^[0-9a-zA-Z.:+=^!/*?&<>()\\[\\]{}@%$#-]{40}$',
  description: 'a CURVE public key of 40 characters of Z85',
});
/** Ed25519, 32 bytes as base64url. */
export const SignKeyText = Type.String({
  pattern: '^[A-Za-z0-9_-]{43}$',
  description: 'a signing public key of 43 characters of base64url',
});
/** An Ed25519 signature, 64 bytes as base64url. */
export const SignatureText = Type.String({
  pattern: '^[A-Za-z0-9_-]{86}$',
  description: 'a signature of 86 characters of base64url',
});
/** An HMAC-SHA256. */
export const MacText = Type.String({
  pattern: '^[0-9a-f]{64}$',
  description: 'a MAC of 64 lower-case hex characters',
});
export const FingerprintText = Type.String({
  pattern: '^SHA256:[A-Za-z0-9+/]{43}$',
  description: 'a fingerprint: SHA256: and 43 characters of base64',
});
export const TokenId = Type.String({
  pattern: '^[0-9a-f]{16}$',
  description: 'a token id of 16 lower-case hex characters',
});
/** Who may join. */
export const joinRoles = ['agent', 'operator', 'monitor'] as const;
export type JoinRole = (typeof joinRoles)[number];

export const wallMs = Type.Integer({ minimum: 0, description: 'milliseconds since 1970' });

/** The actions every agent runs. Its config may add more under `[actions] extra =`. */
export const actions = [
  'start',
  'stop',
  'restart',
  'try-restart',
  'reload',
  'force-reload',
  'condrestart',
  'status',
  'enable',
  'disable',
  'list',
] as const;

/** Actions that only read. Running one twice harms nobody. */
export const readOnlyActions: ReadonlySet<string> = new Set(['status', 'list']);

/** What a service is, in one vocabulary for every host system. */
export const states = ['running', 'stopped', 'failed', 'not-found', 'unknown'] as const;
export type State = (typeof states)[number];
export const State = oneOf(states);

/** A text of a closed list. (TypeBox does not check the `enum` of a string.) */
export function oneOf<const Word extends string>(words: readonly Word[]) {
  return Type.Unsafe<Word>(
    Type.Union(
      words.map((word) => Type.Literal(word)),
      { description: `one of ${words.join(', ')}` },
    ),
  );
}

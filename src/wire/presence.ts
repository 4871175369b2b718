import { type Static, Type } from '@sinclair/typebox';
import { message } from './codec.ts';
import { NodeName, Topic, wallMs } from './fields.ts';

declare const brand: unique symbol;
/** One run of one agent: 32 lower-case hex characters, new at every start. Tells a restart from a second machine. */
export type BootId = string & { readonly [brand]: 'BootId' };
export const BootId = Type.Unsafe<BootId>(
  Type.String({ pattern: '^[0-9a-f]{32}$', description: '32 lower-case hex characters' }),
);

const text = Type.String({ maxLength: 1_024, description: 'a text of at most 1024 characters' });

/** What an agent says of itself when it starts, and whenever a manager asks who it is. */
export const Hello = message(
  'Hello',
  1024 * 1024,
  Type.Object({
    node: NodeName,
    boot: BootId,
    /** `uname -s`, `-r`, `-v`, `-m` */
    system: text,
    release: text,
    version: text,
    machine: text,
    /** `ID` and `VERSION_ID` of os-release(5) */
    os: Type.Optional(text),
    osVersion: Type.Optional(text),
    roles: Type.Array(text, { maxItems: 1_000, description: 'a list of role names' }),
    topics: Type.Array(Topic, { maxItems: 1_000, description: 'a list of topics' }),
    agentVersion: text,
    /** Milliseconds since 1970, by the clock of the node. */
    startedAtMs: Type.Number({ description: 'milliseconds since 1970' }),
  }),
);
export type Hello = Static<typeof Hello.schema>;

/** The agent has the request: it waits for its turn, or it runs. */
export const Ack = message(
  'Ack',
  1_024,
  Type.Object({
    phase: Type.Union([Type.Literal('queued'), Type.Literal('running')], {
      description: 'queued or running',
    }),
  }),
);
export type Ack = Static<typeof Ack.schema>;
export type AckPhase = Ack['phase'];

/** The agent is still there. Empty from agents that do not say when they sent it. */
export const Beat = message(
  'Beat',
  1_024,
  Type.Object({
    /** Milliseconds since 1970, by the clock of the node. */
    sentAtMs: Type.Optional(wallMs),
  }),
);
export type Beat = Static<typeof Beat.schema>;

import { type Static, Type } from '@sinclair/typebox';
import { message } from './codec.ts';
import type { Signed } from './dispatch.ts';
import {
  AnsweringNode,
  FingerprintText,
  NodeName,
  oneOf,
  RequestId,
  Topic,
  wallMs as wholeWallMs,
} from './fields.ts';
import { Outcome, Phase } from './outcome.ts';
import { Absence, maxReplyBytes } from './reply.ts';
import { maxBodyBytes, maxRequestBytes, PlanToken, SignatureField } from './request.ts';

const wallMs = Type.Number({ description: 'milliseconds since 1970' });
const count = Type.Integer({ minimum: 0, description: 'a count' });
const text = Type.String();

export const queryNames = ['nodes', 'forget', 'plan', 'requests', 'request', 'answers', 'cancel'] as const;
export type QueryName = (typeof queryNames)[number];

/** One JSON frame on the frontend that asks about nodes and requests instead of making one. */
export const Query = message(
  'Query',
  maxRequestBytes,
  Type.Object({
    v: Type.Literal(2, { description: 'the number 2' }),
    query: oneOf(queryNames),
    /** plan: whom this request would reach. */
    body: Type.Optional(Type.String({ description: 'a RequestBody as JSON text' })),
    /** request, answers, cancel: which one. */
    id: Type.Optional(RequestId),
    /** nodes: only those on this topic. */
    topic: Type.Optional(Topic),
    /** forget: this one; requests: only those aimed at it; answers: those behind it. */
    node: Type.Optional(AnsweringNode),
    /** requests: only those about this service, with a node in this outcome, opened since then; at most so many. */
    service: Type.Optional(Type.String({ maxLength: 255, description: 'a service name' })),
    outcome: Type.Optional(Outcome),
    sinceMs: Type.Optional(wallMs),
    limit: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 10_000, description: 'a number from 1 to 10000' }),
    ),
    /** Of a signed one: different each time, so that what changes something is not done again for a copy. */
    nonce: Type.Optional(RequestId),
    /** Of a signed one: until when it is good, and when it was made, by the clock of the client. */
    notAfterMs: Type.Optional(wholeWallMs),
    sentAtMs: Type.Optional(wholeWallMs),
  }),
);
export type Query = Static<typeof Query.schema>;

/** The same with a signature of its exact text. */
export const SignedQuery = message(
  'SignedQuery',
  maxRequestBytes,
  Type.Object({
    v: Type.Literal(2, { description: 'the number 2' }),
    signed: Type.String({ maxLength: maxBodyBytes, description: 'a Query as JSON text' }),
    signature: SignatureField,
  }),
);

/** A query that passed the door. `signed`: its text and signature, where it has them. */
export interface CheckedQuery {
  readonly query: Query;
  readonly signed: Signed | undefined;
}

/** Opens a frontend frame that is meant as a query. Throws FRAME_TOO_LARGE, NOT_JSON or INVALID_MESSAGE. */
export function openQuery(frame: Uint8Array): CheckedQuery {
  const wrapped = SignedQuery.tryDecode(frame);
  if (wrapped === undefined) return { query: Query.decode(frame), signed: undefined };
  const bytes = Buffer.from(wrapped.signed);
  return { query: Query.decode(bytes), signed: { bytes, signature: wrapped.signature } };
}

/** The frame of a query. `sign` makes the signature of its text; undefined without security. */
export function sealQuery(query: Query, sign: ((bytes: Buffer) => string) | undefined): Buffer {
  if (sign === undefined) return Query.encode(query);
  const bytes = Query.encode(query);
  return SignedQuery.encode({ v: 2, signed: bytes.toString(), signature: sign(bytes) });
}

/** Whether a frontend frame is meant as a query. Looks no closer: a query that is not a good one is still none of a request. */
export function isMeantAsQuery(frame: Uint8Array): boolean {
  const text = Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength);
  if (text.byteLength > Query.maxBytes || !(text.includes('"query"') || text.includes('"signed"')))
    return false;
  try {
    const value: unknown = JSON.parse(text.toString());
    if (typeof value !== 'object' || value === null) return false;
    return ('query' in value || 'signed' in value) && !('cmd' in value);
  } catch {
    return false;
  }
}

/** A known node as `nodes` shows it. */
export const NodeInfo = Type.Object({
  node: NodeName,
  presence: Type.Union([Type.Literal('alive'), Type.Literal('lost'), Type.Literal('left')], {
    description: 'alive, lost or left',
  }),
  /** Agents that use this name at the same time; 0 when there is one, as there should be. */
  conflictingAgents: count,
  system: text,
  release: text,
  version: text,
  machine: text,
  os: Type.Optional(text),
  osVersion: Type.Optional(text),
  roles: Type.Array(text),
  topics: Type.Array(text),
  agentVersion: text,
  /** By the clock of the node. */
  agentStartedMs: wallMs,
  /** First and last heard of, by the clock of the manager. */
  sinceMs: wallMs,
  lastSeenMs: wallMs,
  lastSeenAgoMs: Type.Number({ minimum: 0 }),
  /** By how much the clock of the node is ahead of the manager's; negative: behind. Missing while that is not known. */
  clockOffsetMs: Type.Optional(Type.Number({ description: 'milliseconds' })),
  /** Of the key of its agent, where there is security. */
  fingerprint: Type.Optional(FingerprintText),
});
export type NodeInfo = Static<typeof NodeInfo>;

/** How far a rollout is. */
export const RolloutInfo = Type.Object({
  /** The batch whose turn it is, from 1 on; 0 before the first. */
  batch: count,
  batches: count,
  /** Nodes that have had their turn. */
  started: count,
  /** Between two batches, until then. */
  pauseUntilMs: Type.Optional(wallMs),
  /** Why it stopped before its end, for people. */
  stopped: Type.Optional(text),
});
export type RolloutInfo = Static<typeof RolloutInfo>;

/** Published on `rollout/` + uuid when a batch begins or ends. */
export const RolloutProgress = message('RolloutProgress', maxReplyBytes, RolloutInfo);

/** A request as the history shows it. */
export const RequestInfo = Type.Object({
  id: RequestId,
  action: text,
  topic: text,
  service: text,
  /** Aimed at these nodes only. */
  nodes: Type.Optional(Type.Array(text)),
  /** In a list: so many more of them, which are not named there. */
  moreNodes: Type.Optional(count),
  openedMs: wallMs,
  /** Missing while it is open. */
  endedMs: Type.Optional(wallMs),
  endsMs: wallMs,
  isCancelled: Type.Boolean(),
  /** Who signed it: `operator alice`. */
  by: Type.Optional(text),
  rollout: Type.Optional(RolloutInfo),
  withheld: count,
  /** Number of nodes in each outcome that occurs. */
  counts: Type.Record(Type.String(), count),
});
export type RequestInfo = Static<typeof RequestInfo>;

const reply = { success: Type.Literal(0) };

export const NodesReply = message(
  'NodesReply',
  16 * maxReplyBytes,
  Type.Object({
    ...reply,
    nodes: Type.Array(NodeInfo),
    /** Connected v1 agents, which do not say who they are. */
    unnamed: count,
    /** Where changes are published. */
    port: Type.Integer(),
  }),
);
export type NodesReply = Static<typeof NodesReply.schema>;

/** Whom a request would reach now. */
export const PlanReply = message(
  'PlanReply',
  16 * maxReplyBytes,
  Type.Object({
    ...reply,
    plan: PlanToken,
    /** Alive, in the order in which they would have their turn. */
    nodes: Type.Array(Type.String()),
    absent: Type.Array(Absence),
    /** Those for which the policy refuses it, each with the rule. */
    denied: Type.Optional(Type.Array(Type.Object({ node: Type.String(), reason: text }))),
    /** v1 agents on the topic, which have no names; and those that would be left out. */
    unnamed: count,
    withheld: count,
    /** Of a rollout: how many nodes each batch would have. */
    batches: Type.Optional(Type.Array(count)),
  }),
);
export type PlanReply = Static<typeof PlanReply.schema>;

/** Published on `nodes/` whenever a node appears, is lost, comes back, leaves or is in conflict. */
export const NodeChange = message('NodeChange', maxReplyBytes, NodeInfo);

export const RequestsReply = message(
  'RequestsReply',
  16 * maxReplyBytes,
  Type.Object({ ...reply, requests: Type.Array(RequestInfo) }),
);
export type RequestsReply = Static<typeof RequestsReply.schema>;

/** How far one node is. */
export const Progress = Type.Object({ node: Type.String(), phase: Phase, outcome: Type.Optional(Outcome) });
export type Progress = Static<typeof Progress>;

export const RequestReply = message(
  'RequestReply',
  16 * maxReplyBytes,
  Type.Object({
    ...reply,
    request: RequestInfo,
    progress: Type.Array(Progress),
    unreachable: Type.Array(Absence),
    /** v1 agents that have not answered. */
    unnamed: count,
    port: Type.Integer(),
    /** How it was asked for: a `RequestBody` as JSON text. */
    body: Type.Optional(text),
  }),
);
export type RequestReply = Static<typeof RequestReply.schema>;

/** A page of answers, by node name. */
export const AnswersReply = message(
  'AnswersReply',
  16 * maxReplyBytes,
  Type.Object({
    ...reply,
    /** Each an `Answer` as JSON text. */
    answers: Type.Array(Type.String()),
    /** There are more behind this node. */
    nextNode: Type.Optional(Type.String()),
  }),
);
export type AnswersReply = Static<typeof AnswersReply.schema>;

export const ForgetReply = message('ForgetReply', maxReplyBytes, Type.Object({ ...reply, node: NodeName }));
export type ForgetReply = Static<typeof ForgetReply.schema>;

import { type Static, Type } from '@sinclair/typebox';
import { message } from './codec.ts';
import { AnsweringNode, RequestId } from './fields.ts';
import { Outcome } from './outcome.ts';
import { maxReplyBytes } from './reply.ts';

const count = Type.Integer({ minimum: 0, description: 'a count' });

/** Published once on `end/` + uuid when a request is over: what became of it at every aimed-at node. */
export const RequestEnd = message(
  'RequestEnd',
  maxReplyBytes,
  Type.Object({
    uuid: RequestId,
    /** Every node that it was aimed at by name, and every other one that answered. */
    outcomes: Type.Array(Type.Object({ node: AnsweringNode, outcome: Outcome }), {
      description: 'a list of outcomes',
    }),
    /** v1 agents that were asked and did not answer: they have no name. */
    unnamed: count,
    /** v1 agents that were not asked because a shorter v1 topic would have received the request too. */
    withheld: count,
    isCancelled: Type.Boolean({ description: 'true or false' }),
    /** Why a rollout stopped before its end, for people. */
    stopped: Type.Optional(Type.String({ description: 'a text' })),
  }),
);
export type RequestEnd = Static<typeof RequestEnd.schema>;

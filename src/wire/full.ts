import { type Static, Type } from '@sinclair/typebox';
import { RequestId } from './fields.ts';
import { Outcome, outcomes } from './outcome.ts';
import { Answer } from './result.ts';

const count = Type.Integer({ minimum: 0, description: 'a count' });
const moment = Type.String({ description: 'a moment as of RFC 3339, such as 2026-01-31T08:00:00.000Z' });
const text = Type.String({ description: 'a text' });
const flag = (description: string) => Type.Boolean({ description });

const FullRollout = Type.Object(
  {
    batch: count,
    batches: count,
    started: count,
    stopped: Type.Optional(Type.String({ description: 'why it stopped before its end' })),
  },
  { description: 'of a rollout: the latest batch, of how many, and how many nodes have had their turn' },
);

const FullRequest = Type.Object({
  id: RequestId,
  action: text,
  topic: text,
  service: text,
  nodes: Type.Optional(
    Type.Array(text, { description: 'the nodes it was aimed at by name, instead of all on the topic' }),
  ),
  opened: Type.Optional(moment),
  ended: Type.Optional(moment),
  isOver: flag('a manager said that the request is over; false: what stands here is what is known so far'),
  isCancelled: flag('the request was cancelled'),
  rollout: Type.Optional(FullRollout),
  isAimKnown: flag('false from a v1 manager, which does not say whom it asked'),
});

const FullOutcome = Type.Object({
  node: Type.String({ minLength: 1, maxLength: 255, description: 'a node name' }),
  outcome: Outcome,
  lastSeenAgoMs: Type.Optional(
    Type.Number({
      minimum: 0,
      description: 'of a node that was not there: milliseconds since it was last heard of',
    }),
  ),
  hasLeft: Type.Optional(flag('of a node that was not there: it had said goodbye')),
});

/**
 * What the client prints with `--format full`: all that is known of one request. It never travels; it is declared here
 * because it is made of what does. docs/full-format.schema.json is made from it.
 */
export const FullDocument = Type.Object(
  {
    request: FullRequest,
    results: Type.Array(Answer.schema, { description: 'the answers in the shape of 2014, by node name' }),
    outcomes: Type.Array(FullOutcome, {
      description: 'each node that was aimed at by name or that answered, once, by name',
    }),
    unnamed: Type.Integer({
      minimum: 0,
      description: 'v1 agents that did not answer, which have no names; 1 when nobody answered a v1 manager',
    }),
    withheld: Type.Integer({
      minimum: 0,
      description:
        'v1 agents that were not asked, because a v1 agent on a shorter topic would have acted too',
    }),
    counts: Type.Unsafe<Partial<Record<Outcome, number>>>(
      Type.Object(Object.fromEntries(outcomes.map((outcome) => [outcome, Type.Optional(count)])), {
        description: 'nodes in each outcome that occurs; unnamed ones as no-answer, withheld ones as refused',
      }),
    ),
    exitCode: Type.Integer({ minimum: 0, maximum: 255, description: 'what the client ends with' }),
  },
  { description: 'What service-mgr-client prints with --format full' },
);
export type FullDocument = Static<typeof FullDocument>;

import { type Static, Type } from '@sinclair/typebox';
import { message } from './codec.ts';
import { NodeName, oneOf } from './fields.ts';

/** Characters of one piece at most. */
export const maxPieceLength = 16 * 1024;

/** Where output comes from. `note`: from the agent, about the output. */
export const outputSources = ['stdout', 'stderr', 'note'] as const;

/**
 * A piece of what an action prints while it runs; published on `output/` + uuid. It may be lost: what counts is the
 * answer, which has the output once more.
 */
export const OutputPiece = message(
  'OutputPiece',
  128 * 1024,
  Type.Object({
    node: NodeName,
    source: oneOf(outputSources),
    /** Lines and parts of lines, as they came. */
    text: Type.String({
      maxLength: maxPieceLength,
      description: `a text of at most ${maxPieceLength} characters`,
    }),
    /** Counts up from 0 for each action, so that a lost piece is noticed. */
    index: Type.Integer({ minimum: 0, description: 'a count' }),
  }),
);
export type OutputPiece = Static<typeof OutputPiece.schema>;

import { type Static, Type } from '@sinclair/typebox';
import { message } from './codec.ts';
import { RequestId } from './fields.ts';

/** Published on `end/` + uuid when a request is over: how many were asked, how many answered. */
export const RequestEnd = message(
  'RequestEnd',
  64 * 1024,
  Type.Object({
    uuid: RequestId,
    /** Connected agents that subscribed to the topic when the request was dispatched. */
    expected: Type.Integer({ minimum: 0 }),
    answered: Type.Integer({ minimum: 0 }),
    /** v1 agents that were not asked because a shorter v1 topic would have received the request too. */
    withheld: Type.Integer({ minimum: 0 }),
    /** True when all expected agents answered, false when the window ended first. */
    complete: Type.Boolean(),
  }),
);
export type RequestEnd = Static<typeof RequestEnd.schema>;

import type { RequestEnd } from '../wire/end.ts';
import type { NodeName } from '../wire/fields.ts';
import type { RequestReply } from '../wire/query.ts';

/** The end of a request that is over, as it was published. */
export function endOf({ request, progress, unnamed }: RequestReply): RequestEnd {
  const { id: uuid, withheld, isCancelled, rollout } = request;
  const outcomes = progress.flatMap(({ node, outcome }) =>
    outcome === undefined ? [] : [{ node: node as NodeName, outcome }],
  );
  const stopped = rollout?.stopped;
  return {
    ...{ uuid, outcomes, unnamed, withheld, isCancelled },
    ...(stopped === undefined ? {} : { stopped }),
  };
}

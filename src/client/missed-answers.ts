import { isServiceManagerError } from '../wire/errors.ts';
import type { RequestReply } from '../wire/query.ts';
import { nodeOfAnswer } from '../wire/result.ts';
import type { AskDeps } from './ask.ts';
import type { Collection } from './collection.ts';
import { endOf } from './end-of.ts';
import type { RequestHistory } from './request-history.ts';

// The reply names every node: of thousands that is too much for every second.
const pauseMs = 5_000;

/**
 * While answers are waited for: what is published between the moment in which a connection breaks and the one in which
 * somebody notices reaches nobody. So the manager is asked now and then, and what was missed is fetched. `historyNow` asks
 * the manager that has the request now. Not for rollouts: `watchRollout`.
 */
export function watchForMissed(
  collection: Collection,
  historyNow: () => RequestHistory,
  { clock }: Pick<AskDeps, 'clock'>,
): void {
  /** Nodes with an outcome and without an answer, such as those that were not there. */
  const withoutAnswer = new Set<string>();
  let cancel = (): void => {};

  const isMissed = ({ node, outcome }: RequestReply['progress'][number]): boolean =>
    outcome !== undefined && !collection.hasAnswerOf(node) && !withoutAnswer.has(node);

  const catchUp = async (): Promise<void> => {
    const history = historyNow();
    const reply = await history.show(collection.id);
    const missed = reply.progress.filter(isMissed);
    if (missed.length > 0) await fetch(history);
    for (const { node } of missed) if (!collection.hasAnswerOf(node)) withoutAnswer.add(node);
    if (reply.request.endedMs !== undefined) collection.finish(endOf(reply));
  };

  const fetch = async (history: RequestHistory): Promise<void> => {
    // One without a name may be there already, and nothing would tell.
    for (const answer of await history.answers(collection.id))
      if (nodeOfAnswer(answer) !== undefined) collection.add(answer);
  };

  const look = async (): Promise<void> => {
    try {
      await catchUp();
    } catch (error) {
      // It does not answer, or does not know the request any more: that is for others to notice.
      if (!isServiceManagerError(error)) throw error;
    }
    lookLater();
  };

  const lookLater = (): void => {
    if (!collection.isOver) cancel = clock.after(pauseMs, 'missed answers', () => void look());
  };
  collection.onceOver(() => cancel());
  lookLater();
}

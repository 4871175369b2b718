import { isServiceManagerError } from '../wire/errors.ts';
import type { AskDeps } from './ask.ts';
import type { Collection } from './collection.ts';
import { endOf } from './end-of.ts';
import type { RequestHistory } from './request-history.ts';

// The reply names every node: of thousands that is too much for every second.
const pauseMs = 5_000;

/**
 * A rollout stays with the manager that took it, because two managers would run batches at the same time. While that
 * one does not answer, the rollout is waited for; when it is back, what was missed is fetched. `history` asks it alone.
 */
export function watchRollout(
  endpoint: string,
  collection: Collection,
  history: RequestHistory,
  { connections, clock }: AskDeps,
): void {
  let cancel = (): void => {};
  collection.onceOver(() => cancel());

  const catchUp = async (): Promise<void> => {
    const reply = await history.show(collection.id);
    const { rollout, endedMs } = reply.request;
    if (rollout !== undefined) collection.advance(rollout);
    collection.listen(connections.publisherOf(endpoint, reply.port));
    if (collection.silentManager === undefined && endedMs === undefined) return;
    for (const answer of await history.answers(collection.id)) collection.add(answer);
    collection.noteSilence(undefined);
    if (endedMs !== undefined) collection.finish(endOf(reply));
  };

  const look = async (): Promise<void> => {
    try {
      await catchUp();
    } catch (error) {
      if (!isServiceManagerError(error)) throw error;
      if (error.code === 'UNKNOWN_REQUEST') collection.forget();
      else collection.noteSilence(endpoint);
    }
    lookLater();
  };

  const lookLater = (): void => {
    if (!collection.isOver) cancel = clock.after(pauseMs, 'rollout watch', () => void look());
  };
  lookLater();
}

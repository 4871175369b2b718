import type { RequestBody } from '../wire/request.ts';
import type { AskDeps, AskOptions } from './ask.ts';
import type { Collection } from './collection.ts';
import { type Patience, requestFrame, take } from './take.ts';

/**
 * While answers are waited for: a manager that has gone is replaced by the next one that takes the same request. It
 * has the same id there, so it runs nowhere twice. Returns what tells the endpoint of the one that has it now. Not for
 * rollouts: `watchRollout`.
 */
export function watchByTakeover(
  first: string,
  body: RequestBody,
  collection: Collection,
  patience: Patience,
  options: AskOptions,
  deps: AskDeps,
): () => string {
  const { connections, clock } = deps;
  const { timeoutMs, endpoints } = options;
  const frame = requestFrame(body, deps);
  let endpoint = first;
  let cancel = (): void => {};

  const isThere = async (): Promise<boolean> =>
    (await connections.exchange(endpoint, frame, timeoutMs, patience.signal)) !== undefined;

  const moveOn = async (): Promise<void> => {
    const others = endpoints.filter((other) => other !== endpoint);
    try {
      const next = await take(body, patience, { ...options, endpoints: others, retries: 1 }, deps);
      collection.listen(connections.publisherOf(next.endpoint, next.reply.port));
      endpoint = next.endpoint;
    } catch {
      // None of them took it: the first one may come back.
    }
  };

  const look = async (): Promise<void> => {
    // What is over meanwhile must not be handed to another manager.
    if (!(await isThere()) && !collection.isOver) await moveOn();
    lookLater();
  };

  const lookLater = (): void => {
    if (!collection.isOver) cancel = clock.after(timeoutMs, 'manager watch', () => void look());
  };
  if (endpoints.length > 1) {
    collection.onceOver(() => cancel());
    lookLater();
  }
  return () => endpoint;
}

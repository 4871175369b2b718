import type { Clock } from '../platform/clock.ts';
import type { Sockets } from '../platform/sockets.ts';
import { RequestEnd } from '../wire/end.ts';
import type { RequestId } from '../wire/fields.ts';
import { Answer, isServiceAnswer, withTextOutput } from '../wire/result.ts';
import { endTopic } from '../wire/topic.ts';
import { closeAfter } from './close-after.ts';

export interface Collecting {
  /** Where the manager publishes. */
  readonly endpoint: string;
  readonly id: RequestId;
  readonly deadlineMs: number;
  /** Ends the collection when aborted. */
  readonly signal: AbortSignal | undefined;
}

/** What a collection has seen so far; filled while it runs. */
export interface Collected {
  /** The manager's word that the request is over; undefined from a v1 manager or when the window ended first. */
  end: RequestEnd | undefined;
  /** Messages that were no answers. */
  unreadable: number;
}

/** Yields each node's answer once, until the manager says that the request is over or the window ends. */
export async function* collect(
  { endpoint, id, deadlineMs, signal }: Collecting,
  collected: Collected,
  { sockets, clock }: { readonly sockets: Sockets; readonly clock: Clock },
): AsyncGenerator<Answer, void, void> {
  const socket = sockets.connectSubscriber(endpoint);
  const release = closeAfter(socket, deadlineMs - clock.now(), signal, clock);
  // The end first: the manager begins to replay when it sees the id.
  socket.subscribe(endTopic(id));
  socket.subscribe(id);
  const answeredBy = new Set<string>();
  try {
    for await (const [topic, payload = Buffer.alloc(0)] of socket) {
      if (topic?.toString() === endTopic(id)) {
        collected.end = RequestEnd.tryDecode(payload);
        return;
      }
      const answer = Answer.tryDecode(payload);
      if (answer === undefined) collected.unreadable += 1;
      else if (isNew(answer, answeredBy)) yield isServiceAnswer(answer) ? withTextOutput(answer) : answer;
    }
  } finally {
    release();
    await socket.close();
  }
}

function isNew(answer: Answer, answeredBy: Set<string>): boolean {
  const node = isServiceAnswer(answer) ? answer.result.node : answer.node;
  if (node === undefined) return true;
  if (answeredBy.has(node)) return false;
  answeredBy.add(node);
  return true;
}

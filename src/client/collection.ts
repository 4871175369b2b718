import type { Clock } from '../platform/clock.ts';
import type { Sockets, SubscriberSocket } from '../platform/sockets.ts';
import { RequestEnd } from '../wire/end.ts';
import type { RequestId } from '../wire/fields.ts';
import { Answer, isServiceAnswer, nodeOfAnswer, withTextOutput } from '../wire/result.ts';
import { endTopic } from '../wire/topic.ts';

export interface CollectionOptions {
  readonly id: RequestId;
  /** Of the clock's `now`. */
  readonly deadlineMs: number;
  /** Ends the collection when aborted. */
  readonly signal: AbortSignal | undefined;
  readonly sockets: Sockets;
  readonly clock: Clock;
}

/** Gathers what is published about one request, by one manager or by several: each node's answer once. */
export class Collection {
  readonly #options: CollectionOptions;
  readonly #sockets = new Map<string, SubscriberSocket>();
  readonly #answeredBy = new Set<string>();
  readonly #waiting: Answer[] = [];
  readonly #release: () => void;
  #isOver = false;
  #wake: () => void = () => {};
  #end: RequestEnd | undefined;
  #unreadable = 0;

  constructor(options: CollectionOptions) {
    this.#options = options;
    const { clock, deadlineMs, signal } = options;
    const finish = () => this.#finish();
    const cancel = clock.after(Math.max(0, deadlineMs - clock.now()), 'window', finish);
    signal?.addEventListener('abort', finish, { once: true });
    this.#release = () => {
      cancel();
      signal?.removeEventListener('abort', finish);
    };
    if (signal?.aborted) this.#finish();
  }

  /** The manager's word that the request is over; undefined from a v1 manager or when the window ended first. */
  get end(): RequestEnd | undefined {
    return this.#end;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Messages that were no answers. */
  get unreadable(): number {
    return this.#unreadable;
  }

  /** Listens to this publisher too, if it does not yet. */
  listen(publisher: string): void {
    if (this.#isOver || this.#sockets.has(publisher)) return;
    const { sockets, id } = this.#options;
    const socket = sockets.connectSubscriber(publisher);
    this.#sockets.set(publisher, socket);
    // The end first: the manager begins to replay when it sees the id.
    socket.subscribe(endTopic(id));
    socket.subscribe(id);
    void this.#receive(socket);
  }

  /** Takes an answer that is known from elsewhere. */
  add(answer: Answer): void {
    const node = nodeOfAnswer(answer);
    if (this.#isOver || (node !== undefined && this.#answeredBy.has(node))) return;
    if (node !== undefined) this.#answeredBy.add(node);
    this.#waiting.push(isServiceAnswer(answer) ? withTextOutput(answer) : answer);
    this.#wake();
  }

  /** The answers as they come, until a manager says that the request is over or the window ends. To be iterated once. */
  async *answers(): AsyncGenerator<Answer, void, void> {
    try {
      while (true) {
        const answer = this.#waiting.shift();
        if (answer !== undefined) yield answer;
        else if (this.#isOver) return;
        else await new Promise<void>((wake) => (this.#wake = wake));
      }
    } finally {
      await this.close();
    }
  }

  /** The request is over, as a manager said. */
  finish(end: RequestEnd): void {
    this.#end ??= end;
    this.#finish();
  }

  async close(): Promise<void> {
    this.#finish();
    await Promise.all([...this.#sockets.values()].map((socket) => socket.close()));
  }

  async #receive(socket: SubscriberSocket): Promise<void> {
    const topicOfEnd = endTopic(this.#options.id);
    for await (const [topic, payload = Buffer.alloc(0)] of socket) {
      if (topic?.toString() === topicOfEnd) this.#receiveEnd(RequestEnd.tryDecode(payload));
      else this.#receiveAnswer(Answer.tryDecode(payload));
    }
  }

  #receiveEnd(end: RequestEnd | undefined): void {
    if (end === undefined) this.#unreadable += 1;
    else this.finish(end);
  }

  #receiveAnswer(answer: Answer | undefined): void {
    if (answer === undefined) this.#unreadable += 1;
    else this.add(answer);
  }

  #finish(): void {
    this.#release();
    this.#isOver = true;
    this.#wake();
  }
}

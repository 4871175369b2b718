import type { Socket } from '../platform/sockets.ts';
import type { NodeName } from '../wire/fields.ts';
import { type Answer, Answer as AnswerMessage, resultFrames } from '../wire/result.ts';
import type { ProtocolVersion } from '../wire/topic.ts';

/** Sends answers to one manager, in the form that it speaks. */
export class Report {
  readonly #sink: Socket;
  readonly #node: NodeName;
  readonly #protocol: ProtocolVersion;
  readonly #nextSequence: () => number;

  constructor(sink: Socket, node: NodeName, protocol: ProtocolVersion, nextSequence: () => number) {
    this.#sink = sink;
    this.#node = node;
    this.#protocol = protocol;
    this.#nextSequence = nextSequence;
  }

  /** False when the queue to the manager is full and the answer was dropped. */
  send(answer: Answer): boolean {
    return this.#sink.send(
      this.#protocol === 'v1'
        ? [AnswerMessage.encode(answer)]
        : resultFrames(answer.uuid, this.#node, this.#nextSequence(), answer),
    );
  }
}

import type { Socket } from '../platform/sockets.ts';
import type { NodeName, RequestId } from '../wire/fields.ts';
import type { OutputPiece } from '../wire/output.ts';
import type { AckPhase, BootId, Hello } from '../wire/presence.ts';
import { ackFrames, helloFrames, outputFrames, presenceFrames, resultFrames } from '../wire/sink.ts';
import type { ProtocolVersion } from '../wire/topic.ts';

export interface ReportOptions {
  readonly sink: () => Socket;
  readonly node: NodeName;
  readonly protocol: ProtocolVersion;
  readonly nextSequence: () => number;
}

/** Speaks to one manager, in the form that it understands. A v1 manager only wants to hear results. */
export class Report {
  readonly #options: ReportOptions;

  constructor(options: ReportOptions) {
    this.#options = options;
  }

  /** A v1 manager says nothing back: what it was sent counts as delivered. */
  get isConfirmed(): boolean {
    return this.#options.protocol === 'v2';
  }

  /** `payload`: an answer as JSON. */
  result(id: RequestId, payload: Buffer): void {
    const { sink, node, protocol, nextSequence } = this.#options;
    sink().send(protocol === 'v1' ? [payload] : resultFrames(id, node, nextSequence(), payload));
  }

  acknowledge(id: RequestId, phase: AckPhase): void {
    const { sink, node, nextSequence } = this.#options;
    if (this.isConfirmed) sink().send(ackFrames(id, node, nextSequence(), phase));
  }

  output(id: RequestId, piece: OutputPiece): void {
    const { sink, nextSequence } = this.#options;
    if (this.isConfirmed) sink().send(outputFrames(id, nextSequence(), piece));
  }

  hello(hello: Hello): void {
    if (this.isConfirmed) this.#options.sink().send(helloFrames(hello, this.#options.nextSequence()));
  }

  presence(type: 'beat' | 'bye', boot: BootId): void {
    const { sink, node, nextSequence } = this.#options;
    if (this.isConfirmed) sink().send(presenceFrames(type, node, boot, nextSequence()));
  }
}

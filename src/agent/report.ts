import type { Socket } from '../platform/sockets.ts';
import type { NodeName, RequestId } from '../wire/fields.ts';
import type { OutputPiece } from '../wire/output.ts';
import type { AckPhase, BootId, Hello } from '../wire/presence.ts';
import {
  ackFrames,
  beatFrames,
  byeFrames,
  helloFrames,
  outputFrames,
  resultFrames,
  withMac,
} from '../wire/sink.ts';
import type { ProtocolVersion } from '../wire/topic.ts';

export interface ReportOptions {
  readonly sink: () => Socket;
  readonly node: NodeName;
  readonly protocol: ProtocolVersion;
  readonly nextSequence: () => number;
  /** Makes the proof of who sends it; undefined without security. */
  readonly mac?: ((frames: readonly Buffer[]) => Buffer) | undefined;
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
    const { sink, node } = this.#options;
    if (this.isConfirmed) this.#send((sequence) => resultFrames(id, node, sequence, payload));
    else sink().send([payload]);
  }

  acknowledge(id: RequestId, phase: AckPhase): void {
    this.#send((sequence) => ackFrames(id, this.#options.node, sequence, phase));
  }

  output(id: RequestId, piece: OutputPiece): void {
    this.#send((sequence) => outputFrames(id, sequence, piece));
  }

  hello(hello: Hello): void {
    this.#send((sequence) => helloFrames(hello, sequence));
  }

  beat(boot: BootId, sentAtMs: number): void {
    this.#send((sequence) => beatFrames(this.#options.node, boot, sequence, sentAtMs));
  }

  bye(boot: BootId): void {
    this.#send((sequence) => byeFrames(this.#options.node, boot, sequence));
  }

  #send(framesOf: (sequence: number) => Buffer[]): void {
    if (!this.isConfirmed) return;
    const { sink, nextSequence, mac } = this.#options;
    const frames = framesOf(nextSequence());
    sink().send(mac === undefined ? frames : withMac(frames, mac(frames)));
  }
}

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
  /** Makes the proof of who sends it, and says undefined while it is not known for whom. Undefined without security. */
  readonly mac?: ((frames: readonly Buffer[]) => Buffer | undefined) | undefined;
}

// Presence is told again and again, and answers until they are stored.
const maxHeld = 1_000;

/** Speaks to one manager, in the form that it understands. A v1 manager only wants to hear results. */
export class Report {
  readonly #options: ReportOptions;
  /** What waits until it is known who is at the other end: under a proof for somebody else it would look forged. */
  readonly #held: Buffer[][] = [];
  #dropped = 0;

  constructor(options: ReportOptions) {
    this.#options = options;
  }

  /** A v1 manager says nothing back: what it was sent counts as delivered. */
  get isConfirmed(): boolean {
    return this.#options.protocol === 'v2';
  }

  /** Messages that could not be kept until it was known for whom they are. */
  get dropped(): number {
    return this.#dropped;
  }

  /** It is known from now on who is at the other end. */
  release(): void {
    for (const frames of this.#held.splice(0)) this.#prove(frames);
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
    if (mac === undefined) sink().send(frames);
    else this.#prove(frames);
  }

  #prove(frames: Buffer[]): void {
    const { sink, mac } = this.#options;
    const proof = mac?.(frames);
    if (proof !== undefined) sink().send(withMac(frames, proof));
    else this.#hold(frames);
  }

  #hold(frames: Buffer[]): void {
    this.#held.push(frames);
    if (this.#held.length <= maxHeld) return;
    this.#held.shift();
    this.#dropped += 1;
  }
}

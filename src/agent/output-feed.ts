import type { Cancel, Clock } from '../platform/clock.ts';
import type { OutputSource } from '../platform/processes.ts';
import type { NodeName } from '../wire/fields.ts';
import { maxPieceLength, type OutputPiece } from '../wire/output.ts';

export interface OutputFeedOptions {
  readonly node: NodeName;
  readonly clock: Clock;
  readonly send: (piece: OutputPiece) => void;
}

const gatherMs = 50;
const mostCharacters = 4 * 1024 * 1024;

/**
 * Sends on what one action prints, a few times a second at most, and stops when it becomes too much: nobody reads that
 * fast, and the answer has the beginning of it.
 */
export class OutputFeed {
  readonly #options: OutputFeedOptions;
  #text = '';
  #source: OutputSource = 'stdout';
  #index = 0;
  #characters = 0;
  #cancelFlush: Cancel | undefined;

  constructor(options: OutputFeedOptions) {
    this.#options = options;
  }

  /** As an action calls it. */
  readonly onOutput = (text: string, source: OutputSource): void => {
    if (text === '' || this.#characters > mostCharacters) return;
    this.#characters += text.length;
    if (this.#characters > mostCharacters) return this.#add('more output is not shown\n', 'note');
    this.#add(text, source);
  };

  /** Sends what is left. Nothing comes behind it. */
  close(): void {
    this.#flush();
    this.#characters = Number.POSITIVE_INFINITY;
  }

  #add(text: string, source: OutputSource): void {
    if (source !== this.#source) this.#flush();
    this.#source = source;
    this.#text += text;
    if (this.#text.length >= maxPieceLength) return this.#flush();
    this.#cancelFlush ??= this.#options.clock.after(gatherMs, 'output', () => this.#flush());
  }

  #flush(): void {
    this.#cancelFlush?.();
    this.#cancelFlush = undefined;
    const { node, send } = this.#options;
    for (const text of piecesOf(this.#text)) {
      send({ node, source: this.#source, text, index: this.#index });
      this.#index += 1;
    }
    this.#text = '';
  }
}

/** No piece begins with the second half of a character. */
function* piecesOf(text: string): Generator<string> {
  for (let at = 0; at < text.length; ) {
    const end = at + maxPieceLength;
    const isSplit = end < text.length && /[\udc00-\udfff]/.test(text.charAt(end));
    const piece = text.slice(at, isSplit ? end - 1 : end);
    yield piece;
    at += piece.length;
  }
}

import type { Terminal } from '../../src/platform/terminal.ts';

export interface RecordedTerminalOptions {
  readonly isOutTerminal?: boolean;
  readonly isErrorTerminal?: boolean;
  readonly columns?: number;
  readonly isColor?: boolean;
  /** What is typed: lines. Without it nobody can be asked. */
  readonly typed?: string;
  /** When a line is typed; at once without it. */
  readonly typing?: Promise<void>;
  /** What standard input holds. */
  readonly input?: string;
}

/** Keeps what was printed. A slow reader, one that goes away and a full disk are played on demand. */
export class RecordedTerminal implements Terminal {
  readonly isOutTerminal: boolean;
  readonly isErrorTerminal: boolean;
  readonly columns: number | undefined;
  readonly isColor: boolean;
  readonly canAsk: boolean;
  readonly #typed: string[];
  readonly #typing: Promise<void> | undefined;
  /** What standard input holds. */
  input: string;
  out = '';
  error = '';
  #isOutReaderGone = false;
  #outFailure: Error | undefined;
  #held: Array<() => void> | undefined;

  constructor(options: RecordedTerminalOptions = {}) {
    this.isOutTerminal = options.isOutTerminal ?? false;
    this.isErrorTerminal = options.isErrorTerminal ?? false;
    this.columns = options.columns;
    this.isColor = options.isColor ?? false;
    this.canAsk = options.typed !== undefined;
    this.#typed = linesOf(options.typed ?? options.input ?? '');
    this.#typing = options.typing;
    this.input = options.input ?? '';
  }

  async writeOut(text: string): Promise<void> {
    if (this.#isOutReaderGone) return;
    if (this.#outFailure !== undefined) throw this.#outFailure;
    const held = this.#held;
    if (held !== undefined) await new Promise<void>((resolve) => held.push(resolve));
    this.out += text;
  }

  async writeError(text: string): Promise<void> {
    this.error += text;
  }

  async ask(question: string, signal?: AbortSignal): Promise<string | undefined> {
    this.error += question;
    await this.#typing;
    return signal?.aborted ? undefined : this.#typed.shift();
  }

  async readInput(signal?: AbortSignal): Promise<string | undefined> {
    return signal?.aborted ? undefined : this.input;
  }

  /** What is written from now on leaves only at `release`. */
  hold(): void {
    this.#held = [];
  }

  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const go of held) go();
  }

  /** As `| head` does. */
  closeOutReader(): void {
    this.#isOutReaderGone = true;
  }

  failOut(failure: Error): void {
    this.#outFailure = failure;
  }
}

function linesOf(text: string): string[] {
  const lines = text.split('\n');
  // Behind the last line end there is no line.
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines;
}

import type { Terminal } from '../platform/terminal.ts';
import { printable } from './formats/printable.ts';

/** Data goes to standard output, messages for people to standard error. `flush` before the program ends. */
export class Output {
  readonly #terminal: Terminal;
  #pending: Promise<unknown> = Promise.resolve();
  #failures: unknown[] = [];

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  get isColor(): boolean {
    return this.#terminal.isColor;
  }

  get columns(): number | undefined {
    return this.#terminal.columns;
  }

  /** Written as it stands: what comes from a node was made printable by its format. */
  data(text: string): void {
    this.#add(this.#terminal.writeOut(text));
  }

  /** One or more lines; their line ends are ours, and what else would steer the terminal is made visible. */
  message(text: string): void {
    const lines = text.split('\n').map((line) => `${printable(line)}\n`);
    this.#add(this.#terminal.writeError(lines.join('')));
  }

  /**
   * Resolves when all that was printed so far has left this program, or its reader has gone. Throws the first failure
   * since the last flush.
   */
  async flush(): Promise<void> {
    await this.#pending;
    const [failure] = this.#failures;
    const hasFailed = this.#failures.length > 0;
    this.#failures = [];
    if (hasFailed) throw failure;
  }

  // A failed write waits here for the next flush instead of ending the program from nowhere.
  #add(write: Promise<void>): void {
    const noted = write.catch((error: unknown) => this.#failures.push(error));
    this.#pending = Promise.all([this.#pending, noted]);
  }
}

/** Makes commander print its help and its errors there. Failed writes show at the next flush of the same terminal. */
export function printOn(terminal: Terminal) {
  return {
    writeOut: (text: string) => void terminal.writeOut(text).catch(() => {}),
    writeErr: (text: string) => void terminal.writeError(text).catch(() => {}),
  };
}

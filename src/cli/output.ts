import type { Terminal } from '../platform/terminal.ts';
import { cutTo, widthOf } from './formats/columns.ts';
import { printable } from './formats/printable.ts';

// Of a terminal on standard error alone the width is not known.
const usualColumns = 80;

/** Data goes to standard output, messages for people to standard error. `flush` before the program ends. */
export class Output {
  readonly #terminal: Terminal;
  #pending: Promise<unknown> = Promise.resolve();
  #failures: unknown[] = [];
  #status = '';

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  get isColor(): boolean {
    return this.#terminal.isColor;
  }

  get columns(): number | undefined {
    return this.#terminal.columns;
  }

  /** Standard error is a terminal, where a line can be written again. */
  get hasStatus(): boolean {
    return this.#terminal.isErrorTerminal;
  }

  get isOutTerminal(): boolean {
    return this.#terminal.isOutTerminal;
  }

  get statusColumns(): number {
    return (this.#terminal.columns ?? usualColumns) - 1;
  }

  /**
   * One line on the terminal that takes the place of the one before, and goes away before anything else is printed there;
   * an empty one takes it away now. Nothing where standard error is no terminal.
   */
  status(text: string): void {
    const shown = cutTo(this.statusColumns, printable(text));
    if (!this.hasStatus || shown === this.#status) return;
    // Blanks and not an escape sequence: they work on every terminal. At the end they also cover a ^C.
    const width = widthOf(this.#status) - widthOf(shown);
    const rest = ' '.repeat(Math.max(0, shown === '' ? Math.min(width + 2, this.statusColumns) : width));
    this.#add(this.#terminal.writeError(`\r${shown}${rest}${shown === '' ? '\r' : ''}`));
    this.#status = shown;
  }

  /** Written as it stands: what comes from a node was made printable by its format. */
  data(text: string): void {
    if (this.isOutTerminal) this.status('');
    this.#add(this.#terminal.writeOut(text));
  }

  get isErrorColor(): boolean {
    return this.isColor && this.hasStatus;
  }

  /** One line that is printable already, and may be coloured. */
  coloured(line: string): void {
    this.status('');
    this.#add(this.#terminal.writeError(`${line}\n`));
  }

  /** One or more lines; their line ends are ours, and what else would steer the terminal is made visible. */
  message(text: string): void {
    this.status('');
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

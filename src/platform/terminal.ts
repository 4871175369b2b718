/** Where a program prints, and reads what it is told: a terminal, a pipe or a file. */
export interface Terminal {
  /**
   * Writes to standard output in the order of the calls, and resolves when the text has left this program. When the
   * reader has gone (`| head`) it resolves at once and writes nothing, now and ever after. Rejects for other trouble,
   * such as a full disk.
   */
  writeOut(text: string): Promise<void>;
  /** The same for standard error. */
  writeError(text: string): Promise<void>;
  readonly isOutTerminal: boolean;
  readonly isErrorTerminal: boolean;
  /** Width of standard output now; undefined when it is no terminal. */
  readonly columns: number | undefined;
  /** Standard output may be coloured: it is a terminal that can, and NO_COLOR is not set. */
  readonly isColor: boolean;
  /** Somebody can be asked: standard input and standard error are terminals, and the input was not read to its end. */
  readonly canAsk: boolean;
  /**
   * Prints the question on standard error and resolves with the line that is typed then, without its line end; with
   * undefined when the input ends or `signal` is aborted first.
   */
  ask(question: string, signal?: AbortSignal): Promise<string | undefined>;
  /** All of standard input as UTF-8; undefined when `signal` is aborted before its end. */
  readInput(signal?: AbortSignal): Promise<string | undefined>;
}

/**
 * A file that only grows, for the audit log: `audit.log` and, beside it, the parts that were full, which are named by the
 * number of their first line.
 */
export interface AppendFile {
  /** In the part that is written to. */
  readonly bytes: number;
  /** One line without its newline, on its way to the disk when the call returns. Throws STORE_UNUSABLE. */
  append(line: string): void;
  /**
   * Puts the present part aside as `FILE.firstLine` and begins another one; removes the oldest parts while all of them
   * together have more than `maxBytes`. Throws STORE_UNUSABLE.
   */
  turn(firstLine: number, maxBytes: number): void;
  close(): void;
}

export interface AppendFiles {
  /** Mode 0600. Throws STORE_UNUSABLE; also for a symbolic link, and for a file of somebody else. */
  open(path: string): AppendFile;
  /** All parts from the oldest to the present one, in pieces. Throws BAD_CONFIG where there is none. */
  read(path: string): AsyncIterable<Uint8Array>;
  /** The last line of the present part, or of the one before where that is empty; undefined where there is none. */
  lastLine(path: string): string | undefined;
}

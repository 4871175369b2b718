/**
 * A file of lines that only grows, for the audit log: `FILE` is written to, and `FILE.N` are the parts that were full, each
 * named by the number of its last line. One program writes it. Lines are ASCII.
 */
export interface AppendFile {
  /** In the part that is written to. */
  readonly bytes: number;
  /**
   * One line without its newline: it outlives the death of this program when the call returns, and the next `sync` takes
   * it to the disk. Throws STORE_UNUSABLE; nothing of the line is there then.
   */
  append(line: string): void;
  /** A power failure takes nothing of what was appended before. Throws STORE_UNUSABLE. */
  sync(): void;
  /**
   * Puts the present part aside, unless it is empty, and begins another one. Its number is `lastLine`, or the next one
   * where a part has that or a higher one, so that the order of the parts is that in which they were written. Then removes
   * the oldest parts while all of them together have more than `maxBytes`, but not the last that was put aside. Returns
   * the names of those it removed. Throws STORE_UNUSABLE, and goes on in the old part when there can be no new one.
   */
  turn(lastLine: number, maxBytes: number): readonly string[];
  /** Closing twice is harmless. */
  close(): void;
}

/** The beginning of a line, whose writer was stopped in the middle of it: it was never confirmed to anybody. */
export interface TornLine {
  readonly movedTo: string;
  readonly bytes: number;
}

export interface AppendFiles {
  /**
   * Makes the file, with mode 0600, and its folder where they are missing. A file that does not end with a newline gets rid
   * of what stands behind its last one: that is moved to `FILE.torn-N`, and `onTorn` is told. Throws STORE_UNUSABLE; also for
   * a file that is not to be used for secrets, as key-file-mode.ts has it.
   */
  open(path: string, onTorn: (torn: TornLine) => void): AppendFile;
  /**
   * All parts from the oldest to the present one, in pieces, as they are when it begins. Throws BAD_CONFIG where there is
   * none, or for a file that is not to be used.
   */
  read(path: string): AsyncIterable<Uint8Array>;
  /**
   * The lines of all parts, the last one first; none where there is no file. Of one that is too long for any line of
   * ours, only the end. Throws STORE_UNUSABLE for a file that is not to be used.
   */
  linesBackwards(path: string): Iterable<string>;
}

/** The numbers in the names of the parts that were put aside, from the oldest to the newest. */
export function partNumbers(fileName: string, names: readonly string[]): number[] {
  const begin = `${fileName}.`;
  const ends = names.filter((name) => name.startsWith(begin)).map((name) => name.slice(begin.length));
  return ends
    .filter((end) => /^[1-9][0-9]{0,14}$/.test(end))
    .map(Number)
    .sort((one, other) => one - other);
}

/** More than any line of ours has. */
export const longestLineBytes = 64 * 1024;

/** A process that runs now. A zombie, which only waits to be reaped, does not run. */
export interface LiveProcess {
  readonly pid: number;
  /** The same for as long as it lives, and another one for the next process with this id. */
  readonly born: string;
  /** Milliseconds since 1970; undefined where the host does not say. */
  readonly startedWallMs: number | undefined;
}

/** A small text file of this host, such as a pid file. */
export interface SmallFile {
  readonly text: string;
  /** When it was last written, in milliseconds since 1970. */
  readonly writtenWallMs: number;
}

/** The processes of this host, and the files in which they leave their ids. */
export interface ProcessTable {
  /** Undefined when no such process runs. */
  find(pid: number): LiveProcess | undefined;
  /** At most its first 64 KiB; undefined when there is no such file, or it cannot be read. */
  read(path: string): SmallFile | undefined;
}

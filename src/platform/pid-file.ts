/** The file that names the one running instance of a program. */
export interface PidFiles {
  /**
   * Writes our pid, with the folder around it if that is missing. A file that a dead process has left is replaced.
   * Rejects with ALREADY_RUNNING while another process holds it, with BAD_CONFIG when it cannot be written.
   */
  take(path: string): Promise<PidFile>;
}

export interface PidFile {
  /** Removes the file, if it still names us, and lets the next instance start. Twice is harmless. */
  close(): void;
}

/** Held by one process at a time, and never longer than that process lives, however it ends. */
export interface ProcessLock {
  close(): void;
}

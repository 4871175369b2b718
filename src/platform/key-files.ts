/** Files with secrets, and files that say whom to trust: read only where nobody else could have put them there. */
export interface KeyFiles {
  /** Whether there is anything of this name, be it what it may. */
  exists(path: string): boolean;
  /** Throws BAD_CONFIG, with what is wrong and how to mend it, for a file that others can read or could have made. */
  readSecret(path: string): string;
  /** The same for a file that all may read, but only its owner may change. */
  readPublic(path: string): string;
  /**
   * Makes a file with mode 0600, and the folder with mode 0700 where it is missing, on the disk when the call returns.
   * Root gives the file to the owner of the folder, so that a daemon which is not root can read what root made for it.
   * Throws BAD_CONFIG when there is one already: a key is never overwritten.
   */
  createSecret(path: string, text: string): void;
  /** Puts another file in its place in one step, with mode and owner of the one before. Throws BAD_CONFIG. */
  replaceSecret(path: string, text: string): void;
  /** Makes or replaces, in one step, with mode 0644. Throws BAD_CONFIG. */
  writePublic(path: string, text: string): void;
  /** Names in the folder, sorted; none where it is missing. Throws BAD_CONFIG. */
  list(folder: string): readonly string[];
  /** Nothing happens where it is missing. Throws BAD_CONFIG. */
  remove(path: string): void;
}

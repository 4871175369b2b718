/**
 * Files with secrets, and files that say whom to trust: read only where nobody else could have made or seen them. What that
 * means is in key-file-mode.ts; no file is larger than 64 KiB. All trouble is BAD_CONFIG, with the path and the reason.
 */
export interface KeyFiles {
  /** Whether there is anything of this name, be it what it may. */
  exists(path: string): boolean;
  /** Throws, with what is wrong and how to mend it, for a file that others can read or could have made. */
  readSecret(path: string): string;
  /** The same for a file that all may read, but only its owner may change. */
  readPublic(path: string): string;
  /**
   * Makes a file with mode 0600, and the folder with mode 0700 where it is missing, on the disk when the call returns.
   * Root gives what it makes to `ownerName`, where there is such a user, so that a daemon which is not root can use it.
   * Throws when there is anything of this name already: a key is never overwritten.
   */
  createSecret(path: string, text: string, ownerName?: string): void;
  /** Puts another file in its place in one step, with mode and owner of the one before. Throws where there is none. */
  replaceSecret(path: string, text: string): void;
  /**
   * Makes or replaces, in one step, with mode 0644, and the folder with mode 0755 where it is missing. Of what is new the
   * owner is found as by `createSecret`, else it stays as it was.
   */
  writePublic(path: string, text: string, ownerName?: string): void;
  /** Names in the folder, sorted; none where it is missing. */
  list(folder: string): readonly string[];
  /** Nothing happens where it is missing. */
  remove(path: string): void;
}

export const largestKeyFileBytes = 64 * 1024;

/** Files and folders of this host. */
export interface Files {
  exists(path: string): boolean;
  /** Throws BAD_CONFIG naming the file and the reason when it cannot be read. */
  readText(path: string): string;
  /** Makes the folder with mode 0700 and those above it, if missing. Throws BAD_CONFIG when it is not writable. */
  makeFolder(path: string): void;
}

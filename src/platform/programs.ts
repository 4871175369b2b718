/** The programs of this host. */
export interface Programs {
  /** Whether it can be run: a name, looked for where `Processes` looks for it, or an absolute path. */
  isThere(program: string): boolean;
}

/** How it went with a program that was started in the background. */
export type Launch =
  | { readonly isReady: true; readonly pid: number }
  /** It has ended; `exitCode` is never 0. */
  | { readonly isReady: false; readonly exitCode: number; readonly reason: string };

/** Starts this very program again, as a daemon. */
export interface Launcher {
  /**
   * Runs it with these arguments in a session of its own, in `/`, without a terminal, and with its standard error
   * appended to `logFile`: there only a crash speaks. Resolves when it says that it is ready, or has ended. Throws
   * BAD_CONFIG when the file cannot be written.
   */
  launch(args: readonly string[], logFile: string): Promise<Launch>;
}

/** Whoever launched this program and waits to hear how that went. */
export interface Starter {
  /**
   * Lets it go. False when it is gone already: nobody was told that there is a daemon now, so there should be none.
   * True when nobody launched this program.
   */
  ready(): Promise<boolean>;
  /** False when nobody launched this program, so that nobody was told. */
  failed(reason: string): Promise<boolean>;
}

/** Where a piece of output comes from. `note`: from us, about the output. */
export type OutputSource = 'stdout' | 'stderr' | 'note';

/** Takes what a program prints, as it comes, in pieces of any size. */
export type OnOutput = (text: string, source: OutputSource) => void;

export interface RunOptions {
  /** After this time the whole process group gets TERM, and after `killAfterMs` more KILL. */
  readonly timeoutMs: number;
  readonly killAfterMs: number;
  /** Bytes kept of each output stream, from its beginning. */
  readonly outputLimitBytes: number;
  /** When aborted, the process group is ended as at the timeout. */
  readonly signal?: AbortSignal;
  /**
   * The program is watched: it prints to a pseudo-terminal, as it does for a person, and both its outputs are one,
   * `stdout`. Where there are no pseudo-terminals a note says so, and the output comes as the program lets go of it.
   */
  readonly onOutput?: OnOutput;
}

export interface CapturedOutput {
  /** UTF-8, invalid bytes replaced by U+FFFD. */
  readonly text: string;
  /** Bytes that came after the limit. */
  readonly cutBytes: number;
}

export interface ProcessExit {
  /** Exit code, or minus the signal number when a signal ended the process. */
  readonly exitCode: number;
  /** It was ended at its time limit. */
  readonly timedOut: boolean;
  /** It was ended because `signal` was aborted. */
  readonly aborted: boolean;
  readonly stdout: CapturedOutput;
  readonly stderr: CapturedOutput;
  readonly durationMs: number;
}

/** Runs programs by file and arguments, never through a shell. */
export interface Processes {
  /**
   * Resolves when the process itself ends, whoever else still holds its output open. What it leaves running in the
   * background lives on, also after this program's death. Rejects with PROVIDER_FAILED when it cannot be started.
   */
  run(file: string, args: readonly string[], options: RunOptions): Promise<ProcessExit>;
}

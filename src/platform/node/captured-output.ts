import type { CapturedOutput } from '../processes.ts';

/** Where one output stream of a process goes. */
export interface Output {
  /** What the process writes to. */
  readonly fd: number;
  /** Bounds what is kept of a process that prints and prints. To be called now and then while it runs. */
  cutBack(): void;
  /** The process has ended: resolves when all that it printed is here. */
  settle(): Promise<void>;
  read(): CapturedOutput;
  /** The process has ended, but what it left running may print on. Takes care of that for as long as it may matter. */
  leave(pid: number): void;
  close(): void;
}

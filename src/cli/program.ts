import type { ClientDeps } from '../client/index.ts';
import type { Files } from '../platform/files.ts';
import type { Terminal } from '../platform/terminal.ts';
import type { GlobalOptions } from './global-options.ts';
import type { Output } from './output.ts';

/** What service-mgr-client needs of the outside world. */
export interface MainDeps {
  readonly terminal: Terminal;
  readonly files: Files;
  /** Aborted when the user presses Ctrl-C. */
  readonly interrupted: AbortSignal;
  /** In place of the real sockets, clock and ids. */
  readonly client?: ClientDeps;
  /** When the program started, by the `now` of its clock; that of Node.js counts from there. */
  readonly startedMs?: number;
}

/** What a verb is run with. */
export interface Program {
  readonly deps: MainDeps;
  readonly output: Output;
  /** Those that stood before the verb. */
  readonly given: GlobalOptions;
}

/** Runs one verb with the words behind its name and resolves with the exit code. */
export type RunVerb = (argv: readonly string[], program: Program) => Promise<number>;

export interface Verb {
  readonly name: string;
  /** What stands behind the name, for the help. */
  readonly usage: string;
  readonly summary: string;
  readonly run: RunVerb;
}

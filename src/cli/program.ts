import type { ClientDeps } from '../client/index.ts';
import type { Files } from '../platform/files.ts';
import type { KeyFiles } from '../platform/key-files.ts';
import type { Terminal } from '../platform/terminal.ts';
import type { GlobalOptions } from './global-options.ts';
import type { Output } from './output.ts';

/** What service-mgr-client needs of the outside world. */
export interface MainDeps {
  readonly terminal: Terminal;
  readonly files: Files;
  readonly keyFiles: KeyFiles;
  /** Where the programs of this user keep their settings: `/home/alice/.config`. */
  readonly configFolder: string;
  /** The login name. */
  readonly userName: string;
  /** Aborted when the user presses Ctrl-C. */
  readonly interrupted: AbortSignal;
  /** Sockets, clock and ids: made when they are needed, because they cost something. */
  openClient(): Omit<ClientDeps, 'identity'>;
  /** When the program started, by the `now` of its clock. Missing: when `openClient` is called. */
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

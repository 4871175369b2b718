import type { Clock } from '../platform/clock.ts';
import type { Sockets } from '../platform/sockets.ts';
import type { Terminal } from '../platform/terminal.ts';
import type { DaemonHome } from './daemon-home.ts';
import type { Management } from './daemon-management.ts';
import type { Output } from './output.ts';

/** What the commands of a daemon need of the outside world. */
export interface CommandDeps {
  readonly sockets: Sockets;
  readonly clock: Clock;
  readonly terminal: Pick<Terminal, 'readInput'>;
  /** Tells a process of this host to read its configuration and its keys again. Nothing happens where there is none. */
  hangUp(pid: number): void;
}

/** What a command of a daemon is run with. */
export interface DaemonContext<Home extends DaemonHome> {
  /** Of the program. */
  readonly program: string;
  readonly home: Home;
  readonly management: Management;
  readonly output: Output;
  readonly deps: CommandDeps;
}

/** Resolves with the exit code. */
export type DaemonAction<Home extends DaemonHome> = (context: DaemonContext<Home>) => Promise<number>;

/** Called with the action of the command that stands on the command line. */
export type Choose<Home extends DaemonHome> = (action: DaemonAction<Home>) => void;

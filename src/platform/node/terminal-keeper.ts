import { spawn } from 'node:child_process';
import { Socket } from 'node:net';

/**
 * Sleeps until whoever holds the other end of its third file is gone, then reads away what is printed on the terminal
 * until nobody has it open any more. Whoever opened the terminal made it so that a read does not wait.
 */
const script = `read -r _ <&3
while case $(LC_ALL=C cat <&4 2>&1 >/dev/null) in *emporarily*) true ;; *) false ;; esac; do sleep 0.2 || sleep 1; done`;

/**
 * A process that outlives us with our end of a pseudo-terminal. What we leave running there would otherwise stand still
 * when the terminal is full, or fail when it is gone: also when we are killed.
 */
export class TerminalKeeper {
  readonly #leash: Socket | undefined;

  constructor(masterFd: number) {
    const keeper = spawn('/bin/sh', ['-c', script], {
      ...{ cwd: '/', detached: true, env: { PATH: '/usr/bin:/bin' } },
      stdio: ['ignore', 'ignore', 'ignore', 'pipe', masterFd],
    });
    // Without it what is followed still runs, and is only less safe.
    keeper.on('error', () => {}).unref();
    const [, , , leash] = keeper.stdio;
    if (!(leash instanceof Socket)) return;
    leash.on('error', () => {}).unref();
    this.#leash = leash;
  }

  /** It takes over, and ends with the last one who has the terminal open. Twice is harmless. */
  release(): void {
    this.#leash?.destroy();
  }
}

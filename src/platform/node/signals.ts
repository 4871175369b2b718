/**
 * Resolves at the first of these signals. From then on a second one, of whichever of them, ends the program at once
 * with exit code 1: the first asks it to finish its work and stop, and who asks again does not want to wait.
 */
export function untilSignal(
  signals: readonly NodeJS.Signals[],
  stopAtOnce: () => void = () => process.exit(1),
): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    const first = (signal: NodeJS.Signals) => {
      for (const each of signals) {
        // Without a listener the system's default would kill the program, and its exit handlers would not run.
        process.on(each, stopAtOnce);
        process.off(each, first);
      }
      resolve(signal);
    };
    for (const each of signals) process.on(each, first);
  });
}

/** Calls `run` at each of these signals. Without it the system would end the program. */
export function onSignal(signal: NodeJS.Signals, run: () => void): void {
  process.on(signal, run);
}

/** Sends SIGHUP to a process of this host. Nothing happens where there is none. */
export function hangUp(pid: number): void {
  try {
    process.kill(pid, 'SIGHUP');
  } catch (error) {
    const isGone = error instanceof Error && 'code' in error && error.code === 'ESRCH';
    if (!isGone) throw error;
  }
}

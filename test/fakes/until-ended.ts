import type { ManualClock } from './manual-clock.ts';
import type { RecordedTerminal } from './recorded-terminal.ts';

/** How a program ended, and what it printed. */
export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly error: string;
}

const longestMs = 60_000;
const stepMs = 500;

/** Lets time pass until the program has ended. */
export async function untilEnded(
  run: () => Promise<number>,
  clock: ManualClock,
  terminal: RecordedTerminal,
): Promise<Ended> {
  const [out, error] = [terminal.out.length, terminal.error.length];
  let isOver = false;
  const running = run().finally(() => {
    isOver = true;
  });
  running.catch(() => {});
  for (let passedMs = 0; !isOver && passedMs < longestMs; passedMs += stepMs)
    await clock.advanceAsync(stepMs);
  const code = await running;
  return { code, out: terminal.out.slice(out), error: terminal.error.slice(error) };
}

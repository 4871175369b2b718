import type { Cancel, Clock } from '../clock.ts';

/** setTimeout takes a longer delay for 1 ms. */
const longestTimeoutMs = 2 ** 31 - 1;

export const nodeClock: Clock = {
  now: () => performance.now(),
  wallMs: () => Date.now(),
  after(delayMs: number, _name: string, run: () => void): Cancel {
    const dueMs = performance.now() + delayMs;
    let timer: NodeJS.Timeout;
    const arm = (remainingMs: number) => {
      timer = setTimeout(wake, Math.min(Math.ceil(remainingMs), longestTimeoutMs));
    };
    // setTimeout may fire a fraction of a millisecond early; whoever then compares `now()` with its deadline
    // would find it not reached.
    const wake = () => {
      const remainingMs = dueMs - performance.now();
      if (remainingMs > 0) arm(remainingMs);
      else run();
    };
    arm(delayMs);
    return () => clearTimeout(timer);
  },
};
